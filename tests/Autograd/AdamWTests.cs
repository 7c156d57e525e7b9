using Ldvc.Autograd;
using Ldvc.Autograd.Optimizers;
using Ldvc.Cases;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Autograd;

public sealed class AdamWTests : IDisposable
{
    private readonly CpuDevice _device = new(1);

    [Theory]
    [InlineData(-1f, 1f)]
    [InlineData(float.NaN, 1f)]
    [InlineData(float.PositiveInfinity, 1f)]
    [InlineData(0.1f, float.NaN)]
    [InlineData(0.1f, float.NegativeInfinity)]
    public void AStepOfNoSizeIsRefusedAndChangesNothing(float rate, float scale)
    {
        using var weight = Parameter([0.5f]);
        using var optimizer = new AdamW([("weight", weight)]);
        Give(weight, [1f]);
        Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.Step(rate, scale));
        Assert.Equal((0, 0.5f), (optimizer.Steps, weight.Value.ToScalar()));
        Assert.NotNull(weight.Gradient);
    }

    // A step writes float32.
    [Theory]
    [InlineData(DType.BFloat16)]
    [InlineData(DType.Float16)]
    public void OnlyFloat32IsTrained(DType type)
    {
        using var weight = Parameter([0.5f]);
        using var stored = new Parameter(_device.Zeros(new Shape(2, 3), type));
        string message = Assert.Throws<ArgumentException>(() => new AdamW([("weight", weight), ("stored", stored)])).Message;
        Assert.StartsWith($"adamw: expected trainable parameters of Float32, got 'stored' {type} [2, 3] on cpu", message, StringComparison.Ordinal);
        stored.Trainable = false;
        using var optimizer = new AdamW([("weight", weight), ("stored", stored)]);
        Assert.Equal("weight", Assert.Single(optimizer.Moments).Name);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(-0.1f)]
    public void ADecayThatIsNoneIsRefused(float decay)
    {
        using Parameter one = Parameter([1f]), other = Parameter([2f]);
        long before = _device.Pool.LiveBlocks;
        var refused = Assert.Throws<ArgumentOutOfRangeException>(() => new AdamW([("one", one)], weightDecay: decay));
        Assert.Contains("at least 0", refused.Message, StringComparison.Ordinal);
        float Of(string name) => name == "one" ? 0 : decay;
        refused = Assert.Throws<ArgumentOutOfRangeException>(() => new AdamW([("one", one), ("other", other)], 0.9f, 0.9f, 1e-8f, Of));
        Assert.Contains("'other'", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, _device.Pool.LiveBlocks);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void StepsAreANumberOfSteps(long steps)
    {
        using var weight = Parameter([0.5f]);
        using var optimizer = new AdamW([("weight", weight)]);
        Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.Steps = steps);
        optimizer.Steps = 1L << 61;
        Give(weight, [1f]);
        optimizer.Step(0.1f);
        Assert.True(float.IsFinite(weight.Value.ToScalar()));
    }

    [Fact]
    public void ParametersOfTwoDevicesAreRefused()
    {
        using var elsewhere = new CpuDevice(1);
        using Parameter here = Parameter([1f]), there = new(elsewhere.FromHost([1f], new Shape(1)));
        var refused = Assert.Throws<ArgumentException>(() => new AdamW([("a", here), ("b", there)]));
        Assert.Contains("'b' on another", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TwoParametersOfOneNameAreRefusedAndATiedOneCountsOnce()
    {
        using Parameter one = Parameter([1f]), other = Parameter([2f]), tied = Parameter([3f]);
        var refused = Assert.Throws<ArgumentException>(() => new AdamW([("weight", one), ("weight", other)]));
        Assert.Contains("got 'weight' for two parameters", refused.Message, StringComparison.Ordinal);
        using var optimizer = new AdamW([("in.weight", tied), ("out.weight", tied)], weightDecay: 0);
        Give(tied, [1f]);
        optimizer.Step(0.5f);
        Assert.Equal(2.5f, tied.Value.ToScalar(), 1e-4f);
        Assert.Equal(["in.weight"], optimizer.Moments.Select(m => m.Name));
    }

    [Fact]
    public void WhatIsMissingIsNamed()
    {
        using var weight = Parameter([1f]);
        Assert.Equal("parameters", Assert.Throws<ArgumentNullException>(() => new AdamW(null!)).ParamName);
        var refused = Assert.Throws<ArgumentNullException>(() => new AdamW([("weight", weight), ("bias", null!)]));
        Assert.StartsWith("adamw: parameter 'bias' is null", refused.Message, StringComparison.Ordinal);
        Assert.Equal("weightDecay", Assert.Throws<ArgumentNullException>(() => new AdamW([("w", weight)], 0.9f, 0.9f, 1e-8f, null!)).ParamName);
        using var optimizer = new AdamW([("weight", weight)]);
        Assert.Equal("path", Assert.Throws<ArgumentNullException>(() => optimizer.Load(null!)).ParamName);
    }

    [Fact]
    public void MeansOfSquaresAreNotNegative()
    {
        using var folder = new TempFolder();
        using var weight = Parameter([0.5f, 1f]);
        using var optimizer = new AdamW([("weight", weight)]);
        var writer = new SafetensorsWriter();
        writer.SetMetadata("steps", "3");
        writer.AddFloat32("first.weight", [2], new float[] { 1, 1 });
        writer.AddFloat32("second.weight", [2], new float[] { 0, -0.25f });
        writer.Save(folder.File("optimizer.safetensors"));
        string said = Assert.Throws<InputException>(() => optimizer.Load(folder.File("optimizer.safetensors"))).Message;
        Assert.EndsWith("tensor 'second.weight': expected means of squares, got -0.25", said, StringComparison.Ordinal);
        Assert.Equal(0, optimizer.Steps);
        Assert.Equal([0f, 0f], optimizer.Moments.Single().First.ToArray());
    }

    // Its steps would change nothing, without a word.
    [Fact]
    public void SomethingIsTrained()
    {
        using Parameter frozen = new(_device.FromHost([3f], new Shape(1)), trainable: false);
        foreach (var parameters in new (string, Parameter)[][] { [], [("frozen", frozen)] })
        {
            string expected = $"adamw: expected at least 1 trainable parameter, got none and {parameters.Length} frozen";
            Assert.StartsWith(expected, Assert.Throws<ArgumentException>(() => new AdamW(parameters)).Message, StringComparison.Ordinal);
        }

        using var weight = Parameter([0.5f]);
        using var optimizer = new AdamW([("weight", weight), ("frozen", frozen)]);
        frozen.Trainable = true;
        Give(weight, [1f]);
        optimizer.Step(0.1f);
        Give(weight, [1f]);
        Give(frozen, [1f]);
        Assert.StartsWith(
            "adamw: parameter 'frozen' [1] has a gradient, but was frozen when the optimizer was made",
            Assert.Throws<InvalidOperationException>(() => optimizer.Step(0.1f)).Message,
            StringComparison.Ordinal);
        Assert.Equal((1, 3f), (optimizer.Steps, frozen.Value.ToScalar()));
        frozen.Trainable = false;
        optimizer.Step(0.1f);
        Assert.Equal(2, optimizer.Steps);
    }

    // A gradient is its variable's: "using var gradient = parameter.Gradient" frees what the step reads.
    [Fact]
    public void AGradientThatItsUserFreedIsSaidToBeOne()
    {
        using var weight = Parameter([0.5f]);
        using var optimizer = new AdamW([("weight", weight)]);
        Give(weight, [1f]);
        weight.Gradient!.Dispose();
        Action[] uses = [() => optimizer.Step(0.1f), () => optimizer.GradientNorm(), () => Give(weight, [1f]), () => _ = weight.Gradient];
        foreach (var act in uses)
        {
            Assert.Contains("gradient [1]: it was disposed of", Assert.Throws<ObjectDisposedException>(act).Message, StringComparison.Ordinal);
        }

        Assert.Equal((0, 0.5f), (optimizer.Steps, weight.Value.ToScalar()));
        weight.ClearGradient();
        Give(weight, [1f]);
        optimizer.Step(0.1f);
        Assert.Equal(1, optimizer.Steps);
    }

    [Fact]
    public void FollowsPyTorch()
    {
        // Printed by tools/adamw_numbers.py.
        double[][] expected =
        [
            [0.489533222591, -1.238799751244, 1.988909090909, 0.740006662225],
            [0.480571025535, -1.243611290398, 1.966798845564, 0.731994938340],
            [0.478306739652, -1.245773205462, 1.968694086501, 0.731994938340],
        ];
        float[]?[] forWeight = [[0.3f, -0.2f, 0.01f], [-0.1f, 0.4f, 0.02f], [0.05f, 0.25f, -0.3f]], forBias = [[1.5f], [-0.5f], null];
        float[] rates = [0.01f, 0.02f, 0.005f];
        using Parameter weight = Parameter([0.5f, -1.25f, 2f]), bias = Parameter([0.75f]);
        using var optimizer = new AdamW([("weight", weight), ("bias", bias)], 0.9f, 0.99f, 1e-3f, name => name == "weight" ? 0.1f : 0f);
        for (int step = 0; step < 3; step++)
        {
            Give(weight, forWeight[step]);
            Give(bias, forBias[step]);
            optimizer.Step(rates[step]);
            Assert.True(CaseDifference.Of("weights", expected[step], [.. weight.Value.ToArray(), .. bias.Value.ToArray()], 2e-7).Passed);
            Assert.Null(weight.Gradient);
            Assert.Null(bias.Gradient);
        }

        Assert.Equal(3, optimizer.Steps);
    }

    [Fact]
    public void ManyStepsFollowTheFormulas()
    {
        const int count = 101;
        double[] w = [.. CaseRandom.Normal("adamw", count).Select(v => (double)v)], m = new double[count], v = new double[count];
        using var parameter = Parameter([.. w.Select(x => (float)x)]);
        using var optimizer = new AdamW([("w", parameter)], 0.9f, 0.999f, 1e-8f, _ => 0.01f);
        for (int step = 1; step <= 200; step++)
        {
            float[] gradient = CaseRandom.Normal($"gradient {step}", count);
            Give(parameter, gradient);
            optimizer.Step(1e-3f, 0.5f);
            for (int i = 0; i < count; i++)
            {
                double g = 0.5 * gradient[i];
                (m[i], v[i]) = ((0.9 * m[i]) + (0.1 * g), (0.999 * v[i]) + (0.001 * g * g));
                double mean = m[i] / (1 - Math.Pow(0.9, step)), square = v[i] / (1 - Math.Pow(0.999, step));
                w[i] = (w[i] * (1 - (1e-3 * 0.01))) - (1e-3 * mean / (Math.Sqrt(square) + 1e-8));
            }
        }

        Assert.True(CaseDifference.Of("weights", w, parameter.Value.ToArray(), 5e-6).Passed);
        var (name, first, second) = Assert.Single(optimizer.Moments);
        Assert.Equal("w", name);
        Assert.True(CaseDifference.Of("first", m, first.ToArray(), 5e-6).Passed);
        Assert.True(CaseDifference.Of("second", v, second.ToArray(), 2e-5).Passed);
    }

    [Fact]
    public void FrozenParametersHaveNoMoments()
    {
        using Parameter trained = Parameter([1f, 2f]), frozen = new(_device.FromHost([3f], new Shape(1)), trainable: false);
        long before = _device.Pool.LiveBlocks;
        using (var optimizer = new AdamW([("trained", trained), ("frozen", frozen)], 0.9f, 0.999f, 1e-8f, _ => 0.5f))
        {
            Assert.Equal(before + 2, _device.Pool.LiveBlocks);
            Assert.Equal(["trained"], optimizer.Moments.Select(x => x.Name));

            // Without a gradient nothing moves or decays, frozen or not.
            optimizer.Step(0.1f);
            Assert.Equal([1f, 2f], trained.Value.ToArray());
            Assert.Equal([3f], frozen.Value.ToArray());
        }

        Assert.Equal(before, _device.Pool.LiveBlocks);
    }

    [Fact]
    public void GradientNormAndTheFirstBadGradient()
    {
        using Parameter a = Parameter([0f, 0f]), b = Parameter([0f]), c = Parameter([1f]);
        using var optimizer = new AdamW([("a", a), ("b", b), ("c", c)], 0.9f, 0.999f, 1e-8f, _ => 0);
        Assert.Equal(0, optimizer.GradientNorm());
        Give(a, [3f, -4f]);
        Give(b, [12f]);
        Assert.Equal(13, optimizer.GradientNorm(), 1e-12);
        Assert.Null(optimizer.FirstNonFiniteGradient());
        Give(c, [float.NaN]);
        Assert.Equal("c", optimizer.FirstNonFiniteGradient());
        b.ClearGradient();
        Give(b, [float.NegativeInfinity]);
        Assert.Equal("b", optimizer.FirstNonFiniteGradient());
        c.ClearGradient();
        b.ClearGradient();
    }

    [Fact]
    public void AfterItsEndItDoesNothingWithoutAWord()
    {
        using var parameter = new Parameter(_device.FromHost([1f], new Shape(1)));
        var optimizer = new AdamW([("p", parameter)]);
        optimizer.Dispose();
        Action[] calls =
        [
            () => optimizer.ClipGradientNorm(1), () => optimizer.GradientNorm(), () => optimizer.FirstNonFiniteGradient(),
            () => _ = optimizer.Moments.Count(), () => optimizer.Step(1),
        ];
        Assert.All(calls, call => Assert.Contains(nameof(AdamW), Assert.Throws<ObjectDisposedException>(call).Message, StringComparison.Ordinal));
    }

    public void Dispose() => _device.Dispose();

    private Parameter Parameter(float[] values) => new(_device.FromHost(values, new Shape(values.Length)));

    private void Give(Parameter parameter, float[]? gradient)
    {
        if (gradient is not null)
        {
            using var tensor = _device.FromHost(gradient, parameter.Shape);
            parameter.AddGradient(tensor);
        }
    }
}
