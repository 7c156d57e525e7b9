using Ldvc.Data;
using Ldvc.Tensors;

namespace Ldvc.Training;

/// <summary>A batch on the device.</summary>
/// <param name="Batch">The host's side: names of the pictures, sizes.</param>
/// <param name="Images">[B, 3, H, W].</param>
/// <param name="Labels">uint8, or int32 where a byte does not hold all classes: [B, H, W].</param>
internal sealed record TakenBatch(DataBatch Batch, Tensor Images, Tensor Labels) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Images.Dispose();
        Labels.Dispose();
        Batch.Dispose();
    }
}
