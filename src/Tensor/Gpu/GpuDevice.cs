using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Ldvc.Tensors.Gpu;

/// <summary>
/// A device that ILGPU drives. Kernels and copies are queued on one stream in the order of the calls, so memory that a tensor gives back may be
/// handed out again at once. The host waits only where it reads a value.
/// </summary>
public sealed partial class GpuDevice : Device
{
    private const int StageBytes = 4 << 20;
    private const long ChunkBytes = 256L << 20;
    private const long SimulatorChunkBytes = 16L << 20;

    private readonly GpuArena _arena;
    private readonly GpuTransfer _transfer;
    private readonly AcceleratorStream _stream;
    private readonly AcceleratorStream _copyStream;

    internal GpuDevice(GpuKind kind, string name, Context context, Accelerator accelerator, long memoryLimit, long chunkBytes)
    {
        (Kind, Name, Context, Accelerator) = (kind, name, context, accelerator);
        Turn = new GpuTurn(name);
        Ranges = kind == GpuKind.Cuda ? NvtxRanges.Open(NvtxRanges.Libraries) : null;
        _stream = accelerator.CreateStream();
        _copyStream = accelerator.CreateStream();
        _arena = new GpuArena(
            this, accelerator, chunkBytes > 0 ? chunkBytes : kind == GpuKind.Simulator ? SimulatorChunkBytes : ChunkBytes, memoryLimit);
        _transfer = new GpuTransfer(accelerator, _stream, kind == GpuKind.Cuda ? StageBytes : StageBytes / 16);
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <summary>What drives it.</summary>
    public GpuKind Kind { get; }

    /// <summary>The model, as its driver calls it.</summary>
    public string ModelName => Accelerator.Name;

    /// <summary>Copies, buffers and launches so far.</summary>
    public GpuCounters Counters { get; } = new();

    internal override bool HasTensorCores =>
        Kind == GpuKind.Simulator || (Accelerator is CudaAccelerator cuda && cuda.Architecture >= CudaArchitecture.SM_80);

    internal override bool CopiesAhead => true;

    internal override bool StartsAreDear => true;

    internal override bool OrdersBlocks => true;

    internal override bool HasRanges => Ranges is not null;

    /// <summary>The profiler's ranges, on CUDA where its library is.</summary>
    internal NvtxRanges? Ranges { get; set; }

    internal Context Context { get; }

    /// <summary>ILGPU's device, for what this class has no call for. It belongs to this device: do not dispose of it.</summary>
    public Accelerator Accelerator { get; }

    /// <summary>
    /// The stream of all kernels and of all copies but those of the next step's inputs: work queued on it runs after everything queued before. The
    /// accelerator's default stream is another one, without any order between the two.
    /// </summary>
    public AcceleratorStream Stream => Bound(_stream);

    /// <summary>The stream of the next step's inputs.</summary>
    internal AcceleratorStream CopyStream => Bound(_copyStream);

    /// <summary>The big buffers behind all tensors.</summary>
    internal IReadOnlyList<GpuChunk?> Chunks => _arena.Chunks;

    /// <inheritdoc/>
    public override void Synchronize()
    {
        ThrowIfDisposed("synchronize");
        Capture?.Refuse("the host waits for the device");
        Stream.Synchronize();
    }

    /// <summary>Which thread the device works for.</summary>
    internal GpuTurn Turn { get; }

    internal override void HoldForTape() => Turn.Hold();

    internal override void ReleaseFromTape() => Turn.Release();

    /// <inheritdoc/>
    public override DeviceRange Range(string name) => Ranges?.Push(name) ?? default;

    /// <summary>Whether <see cref="Time"/> works: the device was opened for it and has a clock of its own, which the simulator has not.</summary>
    public bool HasEvents => Kind != GpuKind.Simulator && Context.Properties.EnableProfiling;

    /// <summary>
    /// Seconds that the device took for what a call queues, between an event before and one after it on the stream; waits for the second. What is
    /// still queued before is not counted; pauses are in which the device waits for the host.
    /// </summary>
    /// <exception cref="InvalidOperationException">There are no events (<see cref="HasEvents"/>).</exception>
    public double Time(Action queue)
    {
        if (!HasEvents)
        {
            throw new InvalidOperationException($"{Name}: expected a device with events, opened for profiling");
        }

        Capture?.Refuse("the device is timed");
        using var start = Stream.AddProfilingMarker();
        queue();
        using var end = Stream.AddProfilingMarker();
        end.Synchronize();
        return end.MeasureFrom(start).TotalSeconds;
    }

    /// <summary>Frees kernels, buffers, streams, the accelerator and ILGPU's context, in this order: each needs the next to be alive.</summary>
    protected override void Dispose(bool disposing)
    {
        CopyStream.Synchronize();
        Stream.Synchronize();
        (Kernels as IDisposable)?.Dispose();
        Kernels = null;
        _transfer.Dispose();
        _arena.Dispose();
        CopyStream.Dispose();
        Stream.Dispose();
        Accelerator.Dispose();
        Context.Dispose();
        Ranges?.Dispose();
        base.Dispose(disposing);
    }

    // CUDA keeps a current device for every thread of the host, and refuses calls from a thread that has none.
    private AcceleratorStream Bound(AcceleratorStream stream)
    {
        Accelerator.Bind();
        return stream;
    }

    internal override InputSlot CreateInputSlot() => new GpuInputSlot(this);

    internal override Storage AllocateBlock(long bytes) => _arena.Allocate(bytes);

    internal override void Upload(Storage target, long byteOffset, ReadOnlySpan<byte> source)
    {
        Uploads?.Add(source);
        if (Capture is { } capture)
        {
            Copy(capture.Constant(source), 0, target, byteOffset, source.Length);
            return;
        }

        Send(target, byteOffset, source);
    }

    /// <summary>
    /// The same for numbers that are about addresses, and so may be other ones whenever the same is computed elsewhere. Not within a capture.
    /// </summary>
    internal void UploadAddresses(Storage target, ReadOnlySpan<byte> source) => Send(target, 0, source);

    private void Send(Storage target, long byteOffset, ReadOnlySpan<byte> source)
    {
        using var turn = Turn.Enter();
        Accelerator.Bind();
        _transfer.Upload(((GpuStorage)target).Memory.SubView(byteOffset, source.Length), source);
        Counters.CountUpload(source.Length);
    }

    internal override void Download(Storage source, long byteOffset, Span<byte> target)
    {
        Capture?.Refuse($"the host reads {target.Length} bytes");
        using var turn = Turn.Enter();
        Accelerator.Bind();
        _transfer.Download(((GpuStorage)source).Memory.SubView(byteOffset, target.Length), target);
        Counters.CountDownload(target.Length);
    }

    internal override void Clear(Storage target, long byteOffset, long bytes)
    {
        if (bytes > 0)
        {
            var storage = (GpuStorage)target;
            Capture?.Touch(storage);
            if (CopyWatch is { } watch)
            {
                watch(() => storage.Memory.SubView(byteOffset, bytes).MemSetToZero(Stream));
                return;
            }

            Clear(storage.Memory.SubView(byteOffset, bytes));
        }
    }

    internal override void Copy(Storage source, long sourceOffset, Storage target, long targetOffset, long bytes)
    {
        if (bytes > 0)
        {
            GpuStorage from = (GpuStorage)source, to = (GpuStorage)target;
            if (from == to && Math.Abs(sourceOffset - targetOffset) < bytes)
            {
                CopyOverlapping(to, sourceOffset, targetOffset, bytes);
                return;
            }

            Capture?.Touch(from);
            Capture?.Touch(to);
            if (CopyWatch is { } watch)
            {
                watch(() => from.Memory.SubView(sourceOffset, bytes).CopyTo(Stream, to.Memory.SubView(targetOffset, bytes)));
                return;
            }

            Copy(from.Memory.SubView(sourceOffset, bytes), to.Memory.SubView(targetOffset, bytes));
        }
    }

    // OpenCL refuses copies within a buffer that overlap, CUDA leaves their result open.
    private void CopyOverlapping(GpuStorage storage, long sourceOffset, long targetOffset, long bytes)
    {
        if (sourceOffset == targetOffset)
        {
            return;
        }

        using Tensor between = Empty(new Shape(checked((int)((bytes + sizeof(long) - 1) / sizeof(long)))), DType.Int64);
        Copy(storage, sourceOffset, between.Storage, 0, bytes);
        Copy(between.Storage, 0, storage, targetOffset, bytes);
    }

    // Apart from their callers, which would otherwise make an object for a lambda's variables every time.
    private void Clear(ArrayView<byte> target)
    {
        using var turn = Turn.Enter();
        target.MemSetToZero(Stream);
    }

    private void Copy(ArrayView<byte> source, ArrayView<byte> target)
    {
        using var turn = Turn.Enter();
        source.CopyTo(Stream, target);
    }
}
