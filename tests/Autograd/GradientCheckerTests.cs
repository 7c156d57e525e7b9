using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Cases;
using Ldvc.Kernels;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Autograd;

public class GradientCheckerTests(ITestOutputHelper output)
{
    /// <summary>The smooth case of every operation with the most inputs and elements.</summary>
    public static TheoryData<string> Samples =>
    [
        .. OpCaseList.Checked.Where(c => c.Smooth && c.Differentiable).GroupBy(c => (c.Op, c.Method)).Select(
            g => g.MaxBy(c => (c.Inputs.Length * 1000) + Math.Min(999, c.Inputs.Sum(i => i.Count)))!.Name),
    ];

    [Fact]
    public void ACheckOfNothingIsRefused()
    {
        using var device = new CpuDevice(1);
        Assert.Throws<ArgumentOutOfRangeException>(() => new GradientChecker(device) { MaxElements = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new GradientChecker(device) { Step = double.NaN });

        // An infinite one would let everything pass.
        foreach (double number in new[] { double.NaN, -1, double.PositiveInfinity })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => new GradientChecker(device) { Tolerance = number });
            Assert.Throws<ArgumentOutOfRangeException>(() => new GradientChecker(device) { Floor = number });
        }
    }

    // Passed says nothing of the elements that were not looked at.
    [Theory]
    [InlineData(300, 256, "gradient check of 256 of 300 elements passed: ")]
    [InlineData(256, 256, "gradient check of 256 elements passed: ")]
    [InlineData(300, 300, "gradient check of 300 elements passed: ")]
    public void TheReportSaysHowManyElementsThereAre(int count, int most, string said)
    {
        using var device = new CpuDevice(1);
        using var a = device.FromHost(CaseRandom.Normal("a", count), new Shape(count));
        var report = new GradientChecker(device) { MaxElements = most }.Check((tape, v) => tape.Scale(v[0], 3f), ("a", a));
        Assert.Equal((Math.Min(count, most), count), (report.Elements, report.Total));
        Assert.StartsWith(said, report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsMissingIsNamed()
    {
        using var device = new CpuDevice(1);
        using var a = device.FromHost([1f, 2f], new Shape(2));
        var checker = new GradientChecker(device);
        Assert.Equal("device", Assert.Throws<ArgumentNullException>(() => new GradientChecker(null!)).ParamName);
        Func<Tape, IReadOnlyList<Variable>, Variable> none = null!;
        Assert.Equal("function", Assert.Throws<ArgumentNullException>(() => checker.Check(none)).ParamName);
        Assert.Equal("function", Assert.Throws<ArgumentNullException>(() => checker.Check((Func<Tape, Variable>)null!, [])).ParamName);
        Assert.Equal("parameters", Assert.Throws<ArgumentNullException>(() => checker.Check((Tape _) => null!, null!)).ParamName);
        Assert.Contains("input 'a' is null", Assert.Throws<ArgumentNullException>(() => checker.Check((tape, v) => v[0], ("a", null!))).Message);
        Assert.Contains("the function gave null", Assert.Throws<ArgumentException>(() => checker.Check((_, _) => null!, ("a", a))).Message);
        Assert.Equal(1, device.Pool.LiveBlocks);
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void EveryOperationPassesInFloat32(string name)
    {
        var c = OpCaseList.Named(name);
        using var device = new CpuDevice(1);
        var inputs = c.Draw().Select((values, i) => (c.Inputs[i].Name, device.FromHost(values, c.Inputs[i].Shape))).ToArray();
        var report = new GradientChecker(device) { MaxElements = 40, Floor = c.GradientFloor, Seed = c.Seed }.Check(
            (tape, v) => c.Run(tape, [.. v]), inputs);
        output.WriteLine($"{name}: {report}");
        Assert.True(report.Passed, report.ToString());
        foreach (var ((_, tensor), values) in inputs.Zip(c.Draw()))
        {
            Assert.Equal(values, tensor.ToArray());
            tensor.Dispose();
        }

        Assert.Equal(0, device.Pool.LiveBlocks);
    }

    [Fact]
    public void EveryOperationHasASample()
    {
        var masks = OpCaseList.All.Where(c => !c.Differentiable).Select(c => (c.Op, c.Method)).ToHashSet();
        var operations = CaseCoverage.Operations(typeof(Tape).Assembly.GetTypes()).Select(method => (method.DeclaringType!, method.Name)).Distinct();
        Assert.Equal(operations.Count(operation => !masks.Contains(operation)), Samples.Count);
    }

    [Fact]
    public void AModuleIsCheckedByItsParameters()
    {
        using var device = new CpuDevice(1);
        var init = new Initializer(device, 3);
        using var first = new Linear(init, 5, 7);
        using var norm = new LayerNorm(init, 7);
        using var frozen = new Linear(init, 7, 3);
        frozen.SetTrainable(false);
        using var x = device.FromHost(CaseRandom.Normal("module", 20), new Shape(4, 5));
        float[] before = first.Weight.Value.ToArray();
        var checker = new GradientChecker(device);
        var report = checker.Check(
            tape => frozen.Forward(tape, norm.Forward(tape, first.Forward(tape, tape.Constant(x.Share()), Activation.QuickGelu))),
            first.Parameters("first.").Concat(norm.Parameters("norm.")).Concat(frozen.Parameters("frozen.")));
        Assert.True(report.Passed, report.ToString());
        Assert.Equal(35 + 7 + 7 + 7, report.Elements);
        Assert.Equal(before, first.Weight.Value.ToArray());
        Assert.Null(first.Weight.Gradient);
    }

    [Fact]
    public void AWrongBackwardIsFoundAndNamed()
    {
        using var device = new CpuDevice(1);
        using var a = device.FromHost(CaseRandom.Normal("a", 6), new Shape(2, 3));
        using var b = device.FromHost(CaseRandom.Normal("b", 6), new Shape(2, 3));
        Variable Wrong(Tape tape, Variable x, float error)
        {
            var result = tape.Result(x.Value.Clone(), x);
            tape.Record(new WrongNode(result, x, 4, error));
            return result;
        }

        var report = new GradientChecker(device).Check((tape, v) => tape.Add(tape.Scale(v[0], 3), Wrong(tape, v[1], 0.02f)), ("a", a), ("b", b));
        Assert.False(report.Passed);
        Assert.Equal(("b", 4), (report.Input, report.Index));
        Assert.Equal(0.02, report.Analytic - report.Numeric, 1e-3);
        Assert.Contains("failed: worst at b[4]", report.ToString(), StringComparison.Ordinal);
        Assert.False(new GradientChecker(device).Check((tape, v) => Wrong(tape, v[0], float.NaN), ("b", b)).Passed);
        Assert.True(new GradientChecker(device).Check((tape, v) => Wrong(tape, v[0], 0f), ("b", b)).Passed);
    }

    [Theory]
    [InlineData(0.02f, 60)]
    [InlineData(0.5f, 3)]
    [InlineData(30f, 0.05f)]
    public void InputsOfAnyScaleAreChecked(float scale, float steepness)
    {
        // The function bends within a fraction of the default step where weights are small, as an initialised network's are.
        using var device = new CpuDevice(1);
        using var x = device.FromHost([.. CaseRandom.Normal("scale", 24).Select(v => scale * v)], new Shape(4, 6));
        Variable Bent(Tape tape, Variable v) => tape.Tanh(tape.Scale(v, steepness)) * tape.Exp(tape.Scale(v, steepness / 4));
        var report = new GradientChecker(device).Check((tape, v) => Bent(tape, v[0]), ("x", x));
        Assert.True(report.Passed, report.ToString());

        // The same with a derivative that is 1 % off must not pass.
        report = new GradientChecker(device).Check(
            (tape, v) => tape.Add(Bent(tape, v[0]), tape.Apply(new NoSlope(0.01f * steepness), v[0])), ("x", x));
        Assert.False(report.Passed);
        Assert.True(report.RelativeError > 5e-3, report.ToString());
    }

    [Fact]
    public void TwoInputsOfOneNameAreRefused()
    {
        using var device = new CpuDevice(1);
        using var a = device.FromHost([1f, 2f], new Shape(2));
        var refused = Assert.Throws<ArgumentException>(() => new GradientChecker(device).Check((tape, v) => v[0] + v[1], ("a", a), ("a", a)));
        Assert.Contains("got 'a' for two inputs", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatCannotBeCheckedIsRefused()
    {
        using var device = new CpuDevice(1);
        using var a = device.FromHost([1f, 2f], new Shape(2));
        var checker = new GradientChecker(device);
        Assert.Contains(
            "depends on none of a",
            Assert.Throws<ArgumentException>(() => checker.Check((tape, _) => tape.Constant(a.Clone()), ("a", a))).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "no trainable input", Assert.Throws<ArgumentException>(() => checker.Check((tape, v) => v[0])).Message, StringComparison.Ordinal);
        Assert.Equal(1, device.Pool.LiveBlocks);
    }

    [Fact]
    public void WhatIsNullIsNamed()
    {
        using var device = new CpuDevice(1);
        using Tensor values = device.Zeros(new Shape(2));
        using var parameter = new Parameter(values.Share());
        var checker = new GradientChecker(device);
        Variable Function(Tape tape) => tape.Scale(parameter, 2);
        (string Said, Action Call)[] calls =
        [
            ("input 'b' is null", () => checker.Check((tape, v) => v[0], ("a", values), ("b", null!))),
            ("the name of input 1 is null", () => checker.Check((tape, v) => v[0], ("a", values), (null!, values))),
            ("input 'b' is null", () => checker.Check(Function, [("a", parameter), ("b", null!)])),
            ("the name of input 0 is null", () => checker.Check(Function, [(null!, parameter)])),
        ];
        Assert.All(calls, each => Assert.StartsWith(
            $"gradient check: {each.Said}", Assert.Throws<ArgumentNullException>(each.Call).Message, StringComparison.Ordinal));
    }

    // Zero, with a derivative that is none of its own.
    private sealed class NoSlope(float slope) : Operation
    {
        public override string Name => "no_slope";

        public override Shape OutputShape(ReadOnlySpan<Shape> inputs) => inputs[0];

        public override void Forward(CpuDevice device, OperationForward call) => call.Output.Clear();

        public override void Backward(CpuDevice device, OperationBackward call) => call.Gradient(0).AsSpan<float>().Fill(slope);
    }

    // The identity with a gradient that is off at one element.
    private sealed class WrongNode(Variable output, Variable x, int at, float error) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            float[] values = dy.ToArray();
            values[at] += error;
            using var wrong = dy.Device.FromHost(values, dy.Shape);
            x.AddGradient(wrong);
        }
    }
}
