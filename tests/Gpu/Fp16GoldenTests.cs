using Ldvc.Comparison;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// `ldvc compare --precision fp16` on the two reference files on which bf16 is beyond its bounds, run as CUDA code: there windows choose others than
/// in float64, which shows in all of a file's mask logits and in the gradients of queries and keys; and on the CLIP without training.
/// </summary>
[Collection("ptx machine")]
public sealed class Fp16GoldenPtxTests(PtxMachineFixture fixture)
{
    public static IEnumerable<ITheoryDataRow> Models => AllModels.Of(
        [["ldvc-dot-head"], ["ldvc-route-partial-windows"]],
        [["training-free"], ["ldvc-route"], ["ldvc-full-attention"], ["ldvc-no-self-attention"], ["ldvc-zegclip"]]);

    [Theory]
    [MemberData(nameof(Models))]
    public void StaysWithinTheBounds(string name)
    {
        var device = fixture.Twin.Device;
        try
        {
            device.Precision = Precision.Fp16;
            var rows = ReferenceComparison.Run(
                TinyClip.Folder,
                TestFiles.Data("golden", name + ".safetensors"),
                ComparisonTolerance.For(Precision.Fp16),
                device,
                cancellation: TestContext.Current.CancellationToken);
            Assert.All(
                rows, row => Assert.True(row.MaxRelative <= row.Bound, $"{row.Name}: relative error {row.MaxRelative:e2}, bound {row.Bound:e1}"));

            // The towers are exacter than bf16 can be, and not float32.
            Assert.InRange(rows.Single(row => row.Name == "patch_embeddings").MaxRelative, 5e-5, 8e-4);
        }
        finally
        {
            device.Precision = Precision.Fp32;
        }
    }
}
