using Ldvc.Tensors;

namespace Ldvc.Kernels.Devices;

/// <summary>
/// Finite numbers that fp16 does not hold: kernels that store it take down on the device when there was one, and whoever reads a result asks, so that
/// no infinity is taken for a value. Nothing waits for it in between.
/// </summary>
internal static class Fp16Overflow
{
    /// <summary>What has happened, and what helps.</summary>
    internal const string Message = "a number beyond 65504, the largest of fp16, was to be stored; precision bf16 holds it";

    /// <summary>Whether a device stores fp16.</summary>
    internal static bool IsWatched(Device device) => device.Precision == Precision.Fp16 && KernelSet.For(device).Launcher is not null;

    /// <summary>Copies the mark, an int32 that is 0 or 1, to an element of a tensor that the host reads anyway.</summary>
    internal static void CopyTo(Tensor status, int element)
    {
        View mark = KernelSet.For(status.Device).Launcher!.Half.Overflow, target = status.View.Shift(element);
        status.Device.Copy(mark.Storage, mark.Offset * sizeof(int), target.Storage, target.Offset * sizeof(int), sizeof(int));
    }

    /// <summary>Whether there was such a number since the last call. Waits for the device.</summary>
    internal static bool Take(Device device) => IsWatched(device) && KernelSet.For(device).Launcher!.Half.Take();

    /// <summary>Ends what has had such a number.</summary>
    /// <exception cref="InputException">There was one.</exception>
    internal static void Refuse(Device device)
    {
        if (Take(device))
        {
            throw new InputException($"{device.Name}: {Message}");
        }
    }
}
