using Ldvc.Configuration;
using Ldvc.Tensors;
using Ldvc.Tensors.Distributed;
using Ldvc.Tensors.Distributed.Nccl;
using Ldvc.Tensors.Gpu;

namespace Ldvc.App.Cli;

/// <summary>What --device names: a kind and, for kinds that a machine may have several of, an index.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Index">The index; of several processes, each takes that of its place on the node instead, unless it is named.</param>
/// <param name="IsNamed">Whether the index was given.</param>
internal sealed record DeviceChoice(string Kind, int Index, bool IsNamed)
{
    /// <summary>The default.</summary>
    public static DeviceChoice Cpu { get; } = new("cpu", 0, false);

    /// <summary>Reads cpu | cuda[:i] | opencl[:i] | simulator.</summary>
    /// <exception cref="InputException">It is none of these.</exception>
    public static DeviceChoice Parse(string text) => DeviceFactory.TryParse(text, out string kind, out int index)
        ? new DeviceChoice(kind, index, text.Contains(':', StringComparison.Ordinal))
        : throw new InputException($"--device: expected {DeviceFactory.Forms}, found {ConfigText.Quote(text)}.");

    /// <summary>Opens the device for this process alone.</summary>
    /// <param name="threads">Threads of a CPU device; 0 means one per core.</param>
    /// <exception cref="InputException">The machine has no such device.</exception>
    public Device Open(int threads) => Open(threads, SingleProcessGroup.Instance);

    /// <summary>Opens the device.</summary>
    /// <param name="threads">Threads of a CPU device; 0 means one per core.</param>
    /// <param name="group">The processes that do so together.</param>
    /// <exception cref="InputException">The machine has no such device, or fewer than processes.</exception>
    public Device Open(int threads, IProcessGroup group)
    {
        bool card = Kind is "cuda" or "opencl";
        bool choose = card && !IsNamed && group.LocalSize > 1;
        int index = choose ? Place(GpuPlatform.List(Kind == "cuda" ? GpuKind.Cuda : GpuKind.OpenCl).Count, group) : Index;
        Device device = DeviceFactory.Open(card ? $"{Kind}:{index}" : Kind, threads);
        try
        {
            if (choose && CudaCard.Of(device) is { } cuda && CudaCard.SharedWith(group, cuda.Name) is { } other)
            {
                throw new InputException($"--device cuda: rank {group.Rank} and rank {other} use the same card, {cuda.Name}; start one process for "
                    + "each card, or name the card: --device cuda:0.");
            }

            return device;
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    // A launcher that gives each process one card to see (CUDA_VISIBLE_DEVICES) has chosen already.
    private int Place(int cards, IProcessGroup group) => group.LocalRank < cards ? group.LocalRank : cards <= 1
        ? 0
        : throw new InputException($"--device {Kind}: rank {group.Rank} is number {group.LocalRank + 1} of {group.LocalSize} processes on its node, "
            + $"which has {cards} cards; start one process for each card, or name the card: --device {Kind}:0.");
}
