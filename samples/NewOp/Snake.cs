using ILGPU;
using Ldvc.Autograd;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace NewOp;

/// <summary>
/// The activation y = x + sin^2(a x) / a with derivative 1 + sin(2 a x) (Ziyin et al., "Neural networks fail to learn periodic functions and how to
/// fix it", 2020, equation 3), element by element, on the CPU and on GPUs.
/// </summary>
public sealed class Snake(float frequency) : Operation
{
    /// <inheritdoc/>
    public override string Name => "snake";

    /// <inheritdoc/>
    public override Shape OutputShape(ReadOnlySpan<Shape> inputs) =>
        inputs.Length == 1 ? inputs[0] : throw new ArgumentException($"expected 1 input, got {inputs.Length}");

    /// <inheritdoc/>
    public override void Forward(CpuDevice device, OperationForward call) =>
        device.ParallelFor(
            (int)call.Output.Count,
            (first, end) =>
            {
                Span<float> x = call.Inputs[0].AsSpan<float>(), y = call.Output.AsSpan<float>();
                for (int i = first; i < end; i++)
                {
                    y[i] = Value(x[i], frequency);
                }
            },
            grain: 4096);

    /// <inheritdoc/>
    public override void Backward(CpuDevice device, OperationBackward call) =>
        device.ParallelFor(
            (int)call.OutputGradient.Count,
            (first, end) =>
            {
                Span<float> x = call.Input(0).AsSpan<float>(), dy = call.OutputGradient.AsSpan<float>(), dx = call.Gradient(0).AsSpan<float>();
                for (int i = first; i < end; i++)
                {
                    dx[i] = dy[i] * Derivative(x[i], frequency);
                }
            },
            grain: 4096);

    /// <inheritdoc/>
    public override void Forward(GpuDevice device, OperationForward call)
    {
        var launch = device.Kernel<Index1D, ArrayView<float>, ArrayView<float>, float>(ForwardKernel);
        launch((int)call.Output.Count, call.Inputs[0].AsGpuView<float>(), call.Output.AsGpuView<float>(), frequency);
    }

    /// <inheritdoc/>
    public override void Backward(GpuDevice device, OperationBackward call)
    {
        var launch = device.Kernel<Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>, float>(BackwardKernel);
        launch(
            (int)call.OutputGradient.Count,
            call.Input(0).AsGpuView<float>(),
            call.OutputGradient.AsGpuView<float>(),
            call.Gradient(0).AsGpuView<float>(),
            frequency);
    }

    // One thread an element. ILGPU compiles these two and what they call.
    private static void ForwardKernel(Index1D i, ArrayView<float> x, ArrayView<float> y, float a) => y[i] = Value(x[i], a);

    private static void BackwardKernel(Index1D i, ArrayView<float> x, ArrayView<float> dy, ArrayView<float> dx, float a) =>
        dx[i] = dy[i] * Derivative(x[i], a);

    private static float Value(float x, float a)
    {
        float sine = MathF.Sin(a * x);
        return x + (sine * sine / a);
    }

    private static float Derivative(float x, float a) => 1 + MathF.Sin(2 * a * x);
}
