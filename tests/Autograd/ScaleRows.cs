using ILGPU;
using Ldvc.Autograd;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Tests.Autograd;

/// <summary>The operation of docs/library.md; <see cref="LibraryPageTests"/> compares the lines.</summary>
internal sealed class ScaleRows : Operation
{
    public override string Name => "scale_rows";

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs) => inputs is [{ Rank: 2 } x, { Rank: 1 } s] && x[0] == s[0]
        ? x
        : throw new ArgumentException("expected x [rows, columns] and s [rows]");

    public override void Forward(CpuDevice device, OperationForward call) => device.ParallelFor(call.Output.Shape[0], (first, end) =>
    {
        Span<float> x = call.Inputs[0].AsSpan<float>(), s = call.Inputs[1].AsSpan<float>(), y = call.Output.AsSpan<float>();
        int columns = y.Length / s.Length;
        for (int i = first * columns; i < end * columns; i++)
        {
            y[i] = x[i] * s[i / columns];
        }
    });

    public override void Backward(CpuDevice device, OperationBackward call)
    {
        Span<float> x = call.Input(0).AsSpan<float>(), s = call.Input(1).AsSpan<float>(), dy = call.OutputGradient.AsSpan<float>();
        Span<float> dx = call.NeedsGradient(0) ? call.Gradient(0).AsSpan<float>() : default;
        Span<float> ds = call.NeedsGradient(1) ? call.Gradient(1).AsSpan<float>() : default;
        for (int i = 0; i < dy.Length; i++)
        {
            int row = i / (dy.Length / s.Length);
            if (call.NeedsGradient(0))
            {
                dx[i] = dy[i] * s[row];
            }

            if (call.NeedsGradient(1))
            {
                ds[row] += dy[i] * x[i];
            }
        }
    }

    public override void Forward(GpuDevice device, OperationForward call) =>
        device.Kernel<Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>>(Scale)(
            (int)call.Output.Count, call.Inputs[0].AsGpuView<float>(), call.Inputs[1].AsGpuView<float>(), call.Output.AsGpuView<float>());

    public override void Backward(GpuDevice device, OperationBackward call)
    {
        ArrayView<float> s = call.Input(1).AsGpuView<float>(), dy = call.OutputGradient.AsGpuView<float>();
        if (call.NeedsGradient(0))
        {
            device.Kernel<Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>>(Scale)(
                (int)dy.Length, dy, s, call.Gradient(0).AsGpuView<float>());
        }

        if (call.NeedsGradient(1))
        {
            device.Kernel<Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>>(RowProducts)(
                (int)s.Length, call.Input(0).AsGpuView<float>(), dy, call.Gradient(1).AsGpuView<float>());
        }
    }

    private static void Scale(Index1D i, ArrayView<float> x, ArrayView<float> s, ArrayView<float> y) =>
        y[i] = x[i] * s[i / (x.IntLength / s.IntLength)];

    // One thread a row: sums have one order, and no atomics.
    private static void RowProducts(Index1D row, ArrayView<float> x, ArrayView<float> dy, ArrayView<float> ds)
    {
        int columns = x.IntLength / ds.IntLength;
        float sum = 0;
        for (int i = row * columns; i < (row + 1) * columns; i++)
        {
            sum += x[i] * dy[i];
        }

        ds[row] = sum;
    }
}
