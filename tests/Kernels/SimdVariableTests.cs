using Ldvc.Autograd;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Kernels;

/// <summary>The variable of the vectors' width in programs that use the packages: the command checks it by itself.</summary>
[Collection("simd")]
public sealed class SimdVariableTests : IDisposable
{
    private readonly string? _before = Environment.GetEnvironmentVariable(SimdLevel.Variable);

    [Theory]
    [InlineData("avx2")]
    [InlineData("100")]
    public void AWidthThatThereIsNotIsRefusedByTheFirstTape(string value)
    {
        using var device = new CpuDevice(1);
        Environment.SetEnvironmentVariable(SimdLevel.Variable, value);
        string said = Assert.Throws<InputException>(() => new Tape(device, recording: false)).Message;
        Assert.Equal($"LDVC_SIMD: expected 128, 256 or 512, found '{value}'.", said);
        Environment.SetEnvironmentVariable(SimdLevel.Variable, "");
        using var tape = new Tape(device, recording: false);
    }

    public void Dispose() => Environment.SetEnvironmentVariable(SimdLevel.Variable, _before);
}
