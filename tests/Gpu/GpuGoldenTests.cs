using Ldvc.Comparison;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>What `ldvc compare --device opencl` does: the values that PyTorch computed, at the CPU's tolerances.</summary>
[Collection("opencl")]
public class OpenClGoldenTests(OpenClFixture fixture)
{
    [Theory]
    [InlineData("clip-tiny")]
    [InlineData("ldvc-route")]
    [InlineData("ldvc-route-partial-windows")]
    [InlineData("ldvc-full-attention")]
    [InlineData("ldvc-no-self-attention")]
    [InlineData("ldvc-zegclip")]
    [InlineData("ldvc-dot-head")]
    [InlineData("training-free")]
    public void EveryTensorIsReproduced(string name) => GoldenCases.Compare(fixture.Twin, name);
}

/// <summary>The same with `--device simulator`, and with its tensor-core kernels.</summary>
[Collection("simulator")]
public sealed class SimulatorGoldenTests(SimulatorFixture fixture) : PrecisionGoldenComparison(fixture)
{
    public static IEnumerable<ITheoryDataRow> Models =>
        AllModels.Of([["Fp32", "clip-tiny"]], [["Fp32", "ldvc-route"], ["Bf16", "clip-tiny"], ["Bf16", "ldvc-route"]]);

    [Theory]
    [MemberData(nameof(Models))]
    public void EveryTensorIsReproduced(string precision, string name)
    {
        if (precision == "Fp32")
        {
            GoldenCases.Compare(Twin, name);
        }
        else
        {
            Compare(Enum.Parse<Precision>(precision), name);
        }
    }
}

internal static class GoldenCases
{
    internal static void Compare(Twin twin, string name)
    {
        var rows = ReferenceComparison.Run(
            TinyClip.Folder,
            TestFiles.Data("golden", name + ".safetensors"),
            ComparisonTolerance.For(Precision.Fp32),
            twin.Device,
            cancellation: TestContext.Current.CancellationToken);
        Assert.True(rows.Count >= (name switch { "clip-tiny" => 9, "training-free" => 5, _ => 68 }), $"{rows.Count} tensors");
        Assert.All(rows, row => Assert.True(row.Within, $"{row.Name}: relative error {row.MaxRelative:e2}, bound {row.Bound:e1}"));
    }
}
