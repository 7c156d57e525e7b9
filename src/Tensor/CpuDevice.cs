using System.Runtime.InteropServices;

namespace Ldvc.Tensors;

/// <summary>The CPU: native memory aligned to cache lines and a fixed team of threads. The default, the fallback and the oracle.</summary>
public sealed partial class CpuDevice : Device
{
    /// <summary>Creates a CPU device with its own threads.</summary>
    /// <param name="threads">Threads of the team, the caller included; 0 means one per core.</param>
    public CpuDevice(int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        Threads = new CpuThreads(threads == 0 ? Environment.ProcessorCount : threads);
    }

    /// <inheritdoc/>
    public override string Name => "cpu";

    /// <summary>The team that runs this device's kernels.</summary>
    internal CpuThreads Threads { get; }

    /// <summary>Threads of the team.</summary>
    public int ThreadCount => Threads.Count;

    /// <inheritdoc/>
    public override void Synchronize()
    {
        // Kernels run to their end inside the call.
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        Threads.Dispose();
        (Kernels as IDisposable)?.Dispose();
        base.Dispose(disposing);
    }

    internal override Storage AllocateBlock(long bytes)
    {
        try
        {
            return new CpuStorage(this, bytes);
        }
        catch (OutOfMemoryException e)
        {
            throw new DeviceMemoryException("the system gives no more", e);
        }
    }

    internal override unsafe void Upload(Storage target, long byteOffset, ReadOnlySpan<byte> source) =>
        source.CopyTo(new Span<byte>(((CpuStorage)target).Pointer + byteOffset, source.Length));

    internal override unsafe void Download(Storage source, long byteOffset, Span<byte> target) =>
        new ReadOnlySpan<byte>(((CpuStorage)source).Pointer + byteOffset, target.Length).CopyTo(target);

    internal override unsafe void Clear(Storage target, long byteOffset, long bytes) =>
        NativeMemory.Clear(((CpuStorage)target).Pointer + byteOffset, (nuint)bytes);

    internal override unsafe void Copy(Storage source, long sourceOffset, Storage target, long targetOffset, long bytes) =>
        Buffer.MemoryCopy(((CpuStorage)source).Pointer + sourceOffset, ((CpuStorage)target).Pointer + targetOffset, bytes, bytes);
}

/// <summary>Native memory, aligned to 64 bytes (a cache line, and one 512-bit vector).</summary>
internal sealed unsafe class CpuStorage : Storage
{
    internal CpuStorage(CpuDevice device, long bytes)
        : base(device, bytes)
    {
        Pointer = (byte*)CpuMemory.Allocate(bytes);
    }

    internal byte* Pointer { get; private set; }

    internal override void Free()
    {
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
    }
}
