using System.Runtime.InteropServices;

namespace Ldvc.Tensors;

/// <summary>The CPU: native memory aligned to cache lines and a fixed team of threads. The default, the fallback and the oracle.</summary>
public sealed partial class CpuDevice : Device
{
    // Beyond any machine; every thread takes a stack.
    private const int MaxThreads = 1024;

    // Blocks below are not worth a look at how much memory there is, which takes a twentieth of a millisecond.
    private const long AskedFor = 16L << 20;

    /// <summary>Creates a CPU device with its own threads.</summary>
    /// <param name="threads">Threads of the team, the caller included, at most 1024; 0 means one per core.</param>
    public CpuDevice(int threads = 0)
        : this(threads, watched: false)
    {
    }

    /// <param name="threads">Threads of the team.</param>
    /// <param name="watched">
    /// For tests: blocks are exactly as large as asked for and start as NaN, lie between guards of NaN, and are refused back when a guard was written
    /// to.
    /// </param>
    internal CpuDevice(int threads, bool watched)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threads, MaxThreads);
        ExactBlocks = watched;
        Threads = new CpuThreads(threads == 0 ? Environment.ProcessorCount : threads);
    }

    /// <inheritdoc/>
    public override string Name => "cpu";

    /// <summary>The team that runs this device's kernels.</summary>
    internal CpuThreads Threads { get; }

    internal override bool ExactBlocks { get; }

    internal override bool BoundsSpareMemory => true;

    /// <summary>What is left of the machine's memory; tests have less.</summary>
    internal Func<long> Left { get; init; } = MachineMemory.Left;

    internal override long MemoryLeft(long wanted) => wanted < AskedFor ? long.MaxValue : Left();

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
        Kernels = null;
        base.Dispose(disposing);
    }

    internal override Storage AllocateBlock(long bytes)
    {
        try
        {
            return new CpuStorage(this, bytes, ExactBlocks);
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
