using ILGPU;
using ILGPU.Runtime;

namespace Ldvc.Tensors.Gpu;

/// <summary>A device tensor and a pinned buffer of the same size, filled on the copy stream.</summary>
internal sealed class GpuInputSlot : InputSlot
{
    private readonly GpuDevice _device;
    private readonly GpuFence _copied;
    private readonly GpuFence _passed;
    private Tensor? _tensor;
    private PageLockedArray1D<byte>? _pinned;

    internal GpuInputSlot(GpuDevice device)
    {
        _device = device;
        _copied = new GpuFence(device.Accelerator);
        _passed = new GpuFence(device.Accelerator);
    }

    internal override Tensor Fill(ReadOnlySpan<byte> values, Shape shape, DType type)
    {
        _device.Capture?.Refuse($"an input of {values.Length} bytes is copied");
        _device.Accelerator.Bind();
        _copied.Wait();
        if (_tensor is null || _tensor.Shape != shape || _tensor.DType != type)
        {
            Resize(shape, type, values.Length);
        }

        values.CopyTo(_pinned!.Span);
        _passed.MakeWait(_device.CopyStream);
        ((GpuStorage)_tensor!.Storage).Memory.SubView(0, values.Length).CopyFromCPUUnsafeAsync(
            _device.CopyStream, ref _pinned.Span[0], values.Length);
        _copied.Record(_device.CopyStream);
        _device.Counters.CountUpload(values.Length);
        return _tensor.Share();
    }

    internal override void Use() => _copied.MakeWait(_device.Stream);

    internal override void Passed() => _passed.Record(_device.Stream);

    public override void Dispose()
    {
        _tensor?.Dispose();

        // A device that has ended took its buffers and events with it.
        if (!_device.IsDisposed)
        {
            _device.CopyStream.Synchronize();
            _pinned?.Dispose();
            _copied.Dispose();
            _passed.Dispose();
        }

        _tensor = null;
        _pinned = null;
    }

    private void Resize(Shape shape, DType type, int bytes)
    {
        if (shape.Count * type.Size() != bytes)
        {
            throw new ArgumentException($"input stage: {bytes} bytes for {type} {shape}");
        }

        // The block may have been a kernel's until now, and the copy stream knows nothing of kernels.
        // Nothing is left of it when the allocation fails.
        _tensor?.Dispose();
        _tensor = null;
        var tensor = _device.Empty(shape, type);
        try
        {
            PinBuffer(bytes);
        }
        catch
        {
            tensor.Dispose();
            throw;
        }

        _tensor = tensor;
        _passed.Record(_device.Stream);
    }

    private void PinBuffer(int bytes)
    {
        if (_pinned is null || _pinned.Length < bytes)
        {
            _pinned?.Dispose();
            _pinned = null;
            _pinned = _device.Accelerator.AllocatePageLocked1D<byte>(bytes);
        }
    }
}
