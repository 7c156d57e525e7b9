using Ldvc.Tensors;

namespace Ldvc.Cases;

/// <summary>Runs cases on a device and compares. An operation is run twice: from nothing, and adding to gradients that are there already.</summary>
internal static class CaseRunner
{
    /// <summary>All differences of a case on a device; the case is right when every one has passed.</summary>
    /// <param name="c">The case, with a float64 reference.</param>
    /// <param name="device">Where it runs.</param>
    /// <param name="looseness">Factor on the case's tolerances, for devices with their own bounds.</param>
    internal static List<CaseDifference> Check(OpCase c, Device device, double looseness = 1)
    {
        using var run = new OpRun(c, device);
        var expected = c.Expected;
        double floor = Math.Max(c.GradientAtLeast, c.GradientFloor * expected.Gradients.Max(g => g.Values.Max(Math.Abs)));
        var result = run.Run(new OpRunOptions());
        List<CaseDifference> differences =
            [CaseDifference.Of($"{c.Name}: output", expected.Output, result.Output, looseness * c.ValueTolerance, c.ValueAtLeast)];
        for (int i = 0; i < c.Inputs.Length; i++)
        {
            Gradient(c, i, expected.Gradients[i], result.Gradients[i], looseness * c.GradientTolerance, floor, differences);
        }

        Accumulation(c, run, result, looseness, floor, differences);
        return differences;
    }

    /// <summary>The same with another device's result as reference: every element of every gradient. Serves the real sizes.</summary>
    internal static List<CaseDifference> Check(OpCase c, Device device, OpResult oracle, double looseness = 1)
    {
        using var run = new OpRun(c, device);
        var result = run.Run(new OpRunOptions());
        double floor = Math.Max(c.GradientAtLeast, c.GradientFloor * oracle.Gradients.Max(g => g?.Max(Math.Abs) ?? 0));
        List<CaseDifference> differences =
            [CaseDifference.Of($"{c.Name}: output", Doubles(oracle.Output), result.Output, looseness * c.ValueTolerance, c.ValueAtLeast)];
        for (int i = 0; i < c.Inputs.Length; i++)
        {
            differences.Add(CaseDifference.Of(
                GradientName(c, i), Doubles(oracle.Gradients[i] ?? []), result.Gradients[i] ?? [], looseness * c.GradientTolerance, floor));
        }

        return differences;
    }

    /// <summary>All differences of a kernel call on a device.</summary>
    internal static List<CaseDifference> Check(KernelCase c, Device device)
    {
        using var run = c.Prepare(device);
        run.Launch();
        var compare = run.Compare ?? throw new InvalidOperationException($"{c.Name} has no reference");
        return [.. compare().Select(d => d with { What = $"{c.Name}: {d.What}" })];
    }

    /// <summary>Runs a case forward and backward.</summary>
    internal static OpResult Run(OpCase c, Device device, OpRunOptions options)
    {
        using var run = new OpRun(c, device);
        return run.Run(options);
    }

    private static void Gradient(
        OpCase c, int input, ExpectedGradient expected, float[]? actual, double allowed, double floor, List<CaseDifference> differences)
    {
        actual ??= new float[c.Inputs[input].Count];
        var samples = CaseDifference.Of(GradientName(c, input), expected.Values, expected.Elements.Select(e => actual[e]).ToArray(), allowed, floor);
        differences.Add(samples with { Element = expected.Elements[samples.Element] });
        if (expected.Direction is not null)
        {
            // Errors of n elements add up like a random walk.
            double slope = expected.Direction.Zip(actual, (s, g) => s * g).Sum(), scale = expected.Values.Max(Math.Abs) * Math.Sqrt(actual.Length);
            differences.Add(CaseDifference.Of($"{GradientName(c, input)} along a direction", [expected.Slope], [slope], allowed, scale));
        }
    }

    private static void Accumulation(OpCase c, OpRun run, OpResult first, double looseness, double floor, List<CaseDifference> differences)
    {
        float[][] before = [.. c.Inputs.Select(input => CaseRandom.Normal($"{c.Name}/{input.Name}/before", input.Count))];
        var second = run.Run(new OpRunOptions { Before = before });
        for (int i = 0; i < c.Inputs.Length; i++)
        {
            double[] sum = [.. before[i].Select((b, n) => b + (double)(first.Gradients[i]?[n] ?? 0))];
            differences.Add(CaseDifference.Of(
                $"{GradientName(c, i)}, accumulated", sum, second.Gradients[i] ?? [], looseness * c.GradientTolerance, floor));
        }
    }

    private static string GradientName(OpCase c, int input) => $"{c.Name}: gradient of {c.Inputs[input].Name}";

    private static double[] Doubles(float[] values) => Array.ConvertAll(values, v => (double)v);
}
