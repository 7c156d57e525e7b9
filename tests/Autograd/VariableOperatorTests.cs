using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Autograd;

public sealed class VariableOperatorTests : IDisposable
{
    private readonly CpuDevice _device = new(1);

    [Fact]
    public void SignsComputeWhatTheySay()
    {
        using var tape = new Tape(_device, recording: true);
        Variable a = tape.Input(_device.FromHost([1f, 2, 3, 4], new Shape(2, 2))), b = tape.Input(_device.FromHost([2f, -4], new Shape(2)));
        void Check(Variable actual, params float[] expected) => Assert.Equal(expected, actual.Value.ToArray());
        Check(a + b, 3, -2, 5, 0);
        Check(a + 1, 2, 3, 4, 5);
        Check(1 + a, 2, 3, 4, 5);
        Check(a - b, -1, 6, 1, 8);
        Check(a - 1, 0, 1, 2, 3);
        Check(1 - a, 0, -1, -2, -3);
        Check(a * b, 2, -8, 6, -16);
        Check(a * 2, 2, 4, 6, 8);
        Check(2 * a, 2, 4, 6, 8);
        Check(a / b, 0.5f, -0.5f, 1.5f, -1);
        Check(a / 2, 0.5f, 1, 1.5f, 2);
        Check(2 / b, 1, -0.5f);
        Check(-a, -1, -2, -3, -4);
    }

    [Fact]
    public void ExpressionsHaveGradients()
    {
        using Tensor a = _device.FromHost([1f, 2, 3, 4, 0.5f, -1], new Shape(3, 2)), b = _device.FromHost([2f, -4], new Shape(2));
        var checker = new GradientChecker(_device) { Step = 0.01 };
        var report = checker.Check((_, v) => (((2 * v[0]) - (v[0] * v[1])) / (3 - (1 / v[1]))) + -v[1], ("a", a), ("b", b));
        Assert.True(report.Passed, report.ToString());
    }

    [Fact]
    public void ParametersNeedATapeBesideThem()
    {
        using Parameter p = new(_device.FromHost([1f, 2], new Shape(2))), q = new(_device.FromHost([5f], new Shape(1)));
        using var tape = new Tape(_device, recording: true);
        Variable x = tape.Constant(_device.FromHost([10f, 20], new Shape(2)));
        Assert.Equal([11, 22], (x + p).Value.ToArray());
        Assert.Equal([11, 22], (p + x).Value.ToArray());
        Assert.Equal([6, 7], tape.Add(p, q).Value.ToArray());
        Assert.Equal(
            "operator *: the parameters [2] and [1] belong to no tape; expected tape.Multiply(a, b) for the first step of such an expression",
            Assert.Throws<InvalidOperationException>(() => p * q).Message);
        Assert.Contains("expected tape.Negate(...)", Assert.Throws<InvalidOperationException>(() => -p).Message);
        Assert.Contains("expected tape.Subtract(...)", Assert.Throws<InvalidOperationException>(() => 1 - p).Message);
        Assert.Throws<ArgumentNullException>(() => x + (Variable)null!);
        using var other = new Tape(_device, recording: true);
        Assert.ThrowsAny<ArgumentException>(() => x + other.Constant(_device.Zeros(new Shape(2))));
    }

    public void Dispose() => _device.Dispose();
}
