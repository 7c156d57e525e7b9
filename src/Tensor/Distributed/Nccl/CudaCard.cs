using ILGPU.Runtime.Cuda;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Tensors.Distributed.Nccl;

/// <summary>What NCCL's side of a card needs to know of the device that computes on it.</summary>
/// <param name="Name">The node's name and the card's place on its bus: two processes with the same name use the same card.</param>
/// <param name="Ordinal">The driver's number of the card.</param>
/// <param name="Context">The context that computes.</param>
/// <param name="Stream">The stream on which it computes.</param>
/// <param name="Address">Where a tensor's values lie in that context.</param>
/// <param name="Queueing">Makes the context the thread's current one; what is queued until the result is disposed of is queued by this thread
/// alone.</param>
internal sealed record CudaCard(string Name, int Ordinal, nint Context, nint Stream, Func<Tensor, nint> Address, Func<IDisposable> Queueing)
{
    /// <summary>The card of a device; null when it is none of CUDA's.</summary>
    internal static CudaCard? Of(Device device)
    {
        if (device is not GpuDevice { Kind: GpuKind.Cuda, Accelerator: CudaAccelerator accelerator } gpu)
        {
            return null;
        }

        return new CudaCard(
            $"{Environment.MachineName}/{accelerator.Device.NVMLPCIBusId}",
            accelerator.DeviceId,
            accelerator.NativePtr,
            ((CudaStream)gpu.Stream).StreamPtr,
            AddressOf,
            () => new Turn(gpu));
    }

    /// <summary>The rank that uses the same card as this process, if there is one; a call of all processes.</summary>
    internal static int? SharedWith(IProcessGroup group, string name)
    {
        byte[][] names = group.AllGather(System.Text.Encoding.UTF8.GetBytes(name));
        int other = Array.FindIndex(names, 0, text => System.Text.Encoding.UTF8.GetString(text) == name);
        if (other == group.Rank)
        {
            other = Array.FindIndex(names, group.Rank + 1, text => System.Text.Encoding.UTF8.GetString(text) == name);
        }

        return other < 0 ? null : other;
    }

    private static nint AddressOf(Tensor values)
    {
        var storage = (GpuStorage)values.View.Storage;
        return storage.Chunk.Buffer.NativePtr + (nint)(storage.ByteOffset + (values.Offset * values.DType.Size()));
    }

    // The device works for one thread at a time.
    private sealed class Turn : IDisposable
    {
        private readonly GpuDevice _device;
        private readonly bool _entered;

        internal Turn(GpuDevice device)
        {
            _device = device;
            _entered = device.Turn.Take();
            device.Accelerator.Bind();
        }

        public void Dispose()
        {
            if (_entered)
            {
                _device.Turn.GiveBack();
            }
        }
    }
}
