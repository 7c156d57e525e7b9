using ILGPU;
using Ldvc.Autograd;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Tests.Autograd;

/// <summary>y = a / (1 + |a|) * b, as somebody outside would write it; b has one value a column.</summary>
internal sealed class OutsideOperation : Operation
{
    internal bool HoldsBack { get; init; }

    /// <summary>Adds this to one gradient, to be found by the checker.</summary>
    internal float Mistake { get; init; }

    public override string Name => "gated_softsign";

    public override bool SavesInput(int input) => !HoldsBack || input == 1;

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs) => inputs is [{ Rank: 2 } a, { Rank: 1 } b] && a[1] == b[0]
        ? a
        : throw new ArgumentException("expected a [rows, columns] and b [columns]");

    public override void Forward(CpuDevice device, OperationForward call)
    {
        int columns = call.Output.Shape[1];
        device.ParallelFor(call.Output.Shape[0], (first, end) =>
        {
            Span<float> a = call.Inputs[0].AsSpan<float>(), b = call.Inputs[1].AsSpan<float>(), y = call.Output.AsSpan<float>();
            for (int i = first * columns; i < end * columns; i++)
            {
                y[i] = a[i] / (1 + MathF.Abs(a[i])) * b[i % columns];
            }
        });
        var mark = device.FromHost([41f], new Shape(1));
        call.Keep(mark);
    }

    public override void Backward(CpuDevice device, OperationBackward call)
    {
        Span<float> a = call.Input(0).AsSpan<float>(), b = call.Input(1).AsSpan<float>(), dy = call.OutputGradient.AsSpan<float>();
        var da = call.NeedsGradient(0) ? call.Gradient(0).AsSpan<float>() : default;
        var db = call.NeedsGradient(1) ? call.Gradient(1).AsSpan<float>() : default;
        float kept = call.Kept[0].ToScalar() - 41;
        for (int i = 0; i < a.Length; i++)
        {
            float d = 1 + MathF.Abs(a[i]);
            if (!da.IsEmpty)
            {
                da[i] = (dy[i] * b[i % b.Length] / (d * d)) + kept + (i == 0 ? Mistake : 0);
            }

            if (!db.IsEmpty)
            {
                db[i % b.Length] += dy[i] * a[i] / d;
            }
        }
    }

    public override void Forward(GpuDevice device, OperationForward call) =>
        device.Kernel<Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>>(ForwardKernel)(
            (int)call.Output.Count, call.Inputs[0].AsGpuView<float>(), call.Inputs[1].AsGpuView<float>(), call.Output.AsGpuView<float>());

    public override void Backward(GpuDevice device, OperationBackward call)
    {
        ArrayView<float> a = call.Input(0).AsGpuView<float>(), b = call.Input(1).AsGpuView<float>(), dy = call.OutputGradient.AsGpuView<float>();
        if (call.NeedsGradient(0))
        {
            device.Kernel<Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>>(InputKernel)(
                (int)a.Length, a, b, dy, call.Gradient(0).AsGpuView<float>());
        }

        if (call.NeedsGradient(1))
        {
            device.GroupKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>>(GateKernel)(
                new KernelConfig((int)b.Length, 16), a, dy, call.Gradient(1).AsGpuView<float>());
        }
    }

    private static void ForwardKernel(Index1D i, ArrayView<float> a, ArrayView<float> b, ArrayView<float> y) =>
        y[i] = a[i] / (1 + Abs(a[i])) * b[i % b.IntLength];

    private static void InputKernel(Index1D i, ArrayView<float> a, ArrayView<float> b, ArrayView<float> dy, ArrayView<float> da)
    {
        float d = 1 + Abs(a[i]);
        da[i] = dy[i] * b[i % b.IntLength] / (d * d);
    }

    // One group a column: threads sum rows, the first one sums the threads.
    private static void GateKernel(ArrayView<float> a, ArrayView<float> dy, ArrayView<float> db)
    {
        var sums = SharedMemory.Allocate<float>(16);
        int columns = db.IntLength;
        float sum = 0;
        for (int i = (Group.IdxX * columns) + Grid.IdxX; i < a.IntLength; i += 16 * columns)
        {
            sum += dy[i] * a[i] / (1 + Abs(a[i]));
        }

        sums[Group.IdxX] = sum;
        Group.Barrier();
        if (Group.IdxX == 0)
        {
            float all = 0;
            for (int i = 0; i < 16; i++)
            {
                all += sums[i];
            }

            db[Grid.IdxX] = all;
        }
    }

    private static float Abs(float x) => x < 0 ? -x : x;
}
