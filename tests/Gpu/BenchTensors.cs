using Ldvc.Tensors;

namespace Ldvc.Tests.Gpu;

/// <summary>Tensors of given values for a <see cref="Bench"/>.</summary>
internal static class BenchTensors
{
    internal static Tensor Floats(this Bench bench, Shape shape, Func<int, float> value) =>
        bench.Keep(bench.Device.FromHost([.. Enumerable.Range(0, (int)shape.Count).Select(value)], shape));

    internal static Tensor Ints(this Bench bench, Shape shape, Func<int, int> value) =>
        bench.Keep(bench.Device.FromHost((ReadOnlySpan<int>)[.. Enumerable.Range(0, (int)shape.Count).Select(value)], shape));

    internal static Tensor Bytes(this Bench bench, Shape shape, Func<int, byte> value) =>
        bench.Keep(bench.Device.FromHost([.. Enumerable.Range(0, (int)shape.Count).Select(value)], shape));
}
