using Ldvc.Comparison;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// What `ldvc compare --precision bf16` and `tf32` do: whole models, forward and backward, through the tensor-core kernels, against PyTorch's float64
/// values. Bounds: activations, mask logits and loss 5e-3 (tf32: 3e-3), gradients 2e-2 (1.2e-2), those of ffn.fc1, queries and keys 5e-2 (3e-2).
/// </summary>
public abstract class PrecisionGoldenComparison(SimulatorFixture fixture)
{
    private protected Twin Twin => fixture.Twin;

    // Rounding may move an input of a ReLU across zero, or a route: then a file is beyond the bounds by the factor that docs/compare.md states.
    private protected void Compare(Precision precision, string name, double factor = 1)
    {
        var device = Twin.Device;
        try
        {
            device.Precision = precision;
            var rows = ReferenceComparison.Run(
                TinyClip.Folder,
                TestFiles.Data("golden", name + ".safetensors"),
                ComparisonTolerance.For(precision),
                device,
                cancellation: TestContext.Current.CancellationToken);
            Assert.All(
                rows,
                row => Assert.True(row.MaxRelative <= factor * row.Bound, $"{row.Name}: relative error {row.MaxRelative:e2}, bound {row.Bound:e1}"));

            // Were products done in float32, everything would be a hundred times closer.
            Assert.True(rows.Max(row => row.MaxRelative) > 1e-4);
        }
        finally
        {
            device.Precision = Precision.Fp32;
        }
    }
}
