using ILGPU;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.Gpu;

/// <summary>
/// A few words on the device for numbers of 16 bits with a small range: whether a finite number was too large to be stored, which the host reads with
/// a step's loss, the scale of an attention's gradients, and what kernels that find such a scale share.
/// </summary>
internal sealed class HalfState(GpuDevice device) : IDisposable
{
    /// <summary>The first float32 that fp16 rounds to infinity: halfway from its largest number, 65504, to the one that would come next.</summary>
    internal const float First = 65520f;

    private const int Words = 6;

    private Tensor? _words;

    /// <summary>An int32: 1 when a number was too large since <see cref="Take"/>, else 0.</summary>
    internal View Overflow => Memory.View.As(DType.Int32);

    /// <summary>Two floats, a scale and its inverse; the next attention overwrites them.</summary>
    internal View Scale => Memory.View.Shift(2);

    /// <summary>Two int32 that are zeros between launches (<see cref="ScaleOfGrid"/>).</summary>
    internal View Largest => Memory.View.As(DType.Int32).Shift(4);

    /// <summary>Blocks of the pool that it holds: not a leak.</summary>
    internal int Blocks => _words is null ? 0 : 1;

    private Tensor Memory => _words ??= Zeros(device);

    /// <summary>Where kernels for a format take down what is too large; those for bf16 never do, and get any memory.</summary>
    internal ArrayView<int> OverflowOf(DType half, ArrayView<float> any) => half == DType.Float16 ? Overflow.GpuInts : any.Cast<int>();

    /// <summary>Whether a number was too large; says so once. Waits for the device.</summary>
    internal bool Take()
    {
        if (_words is null || BitConverter.SingleToInt32Bits(_words.ToArray()[0]) == 0)
        {
            return false;
        }

        _words.Clear();
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _words?.Dispose();

    // A captured clearing has not run when the capture ends, and would run again at every start: words that a launch leaves for the next one are
    // cleared by the step that runs instead.
    private static Tensor Zeros(GpuDevice device)
    {
        device.Capture?.Refuse("words for fp16 are cleared", Words * sizeof(float));
        return device.Zeros(new Shape(Words));
    }
}
