using ILGPU;
using ILGPU.Runtime;

namespace Ldvc.Tensors.Gpu;

/// <summary>
/// Copies between pageable host memory and the device through two pinned buffers: while one is on its way, the other is filled. An upload returns
/// as soon as its last part lies in a pinned buffer; a download waits for everything started before it.
/// </summary>
internal sealed class GpuTransfer : IDisposable
{
    private readonly AcceleratorStream _stream;
    private readonly Stage[] _stages;
    private int _next;

    internal GpuTransfer(Accelerator accelerator, AcceleratorStream stream, int stageBytes)
    {
        _stream = stream;
        _stages = [new Stage(accelerator, stageBytes), new Stage(accelerator, stageBytes)];
    }

    internal void Upload(ArrayView<byte> target, ReadOnlySpan<byte> source)
    {
        for (int done = 0; done < source.Length;)
        {
            var stage = NextStage();
            int count = Math.Min(source.Length - done, stage.Size);
            source.Slice(done, count).CopyTo(stage.Memory.Span);
            target.SubView(done, count).CopyFromCPUUnsafeAsync(_stream, ref stage.Memory.Span[0], count);
            stage.Fence.Record(_stream);
            done += count;
        }
    }

    internal void Download(ArrayView<byte> source, Span<byte> target)
    {
        for (int done = 0; done < target.Length;)
        {
            var stage = NextStage();
            int count = Math.Min(target.Length - done, stage.Size);
            source.SubView(done, count).CopyToCPUUnsafeAsync(_stream, ref stage.Memory.Span[0], count);
            _stream.Synchronize();
            stage.Memory.Span[..count].CopyTo(target[done..]);
            done += count;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var stage in _stages)
        {
            stage.Fence.Dispose();
            stage.Memory.Dispose();
        }
    }

    private Stage NextStage()
    {
        var stage = _stages[_next];
        _next = 1 - _next;
        stage.Fence.Wait();
        return stage;
    }

    private sealed class Stage(Accelerator accelerator, int bytes)
    {
        internal int Size => bytes;

        internal PageLockedArray1D<byte> Memory { get; } = accelerator.AllocatePageLocked1D<byte>(bytes);

        internal GpuFence Fence { get; } = new(accelerator);
    }
}
