using Ldvc.Tensors;

namespace Ldvc.Training;

/// <summary>
/// Pictures and labels that stay at one place for each shape: a graph reads the same addresses at every step, while batches arrive in two places that
/// take turns.
/// </summary>
/// <param name="most">Shapes that have a place; pictures of others are used where they are.</param>
internal sealed class FixedInputs(int most) : IDisposable
{
    private readonly Dictionary<Shape, (Tensor Images, Tensor Labels)> _places = [];

    /// <summary>Copies a batch to its place, on the device.</summary>
    internal (Tensor Images, Tensor Labels) Place(TakenBatch batch)
    {
        Shape shape = batch.Images.Shape;
        if (!_places.TryGetValue(shape, out var place))
        {
            if (_places.Count >= most)
            {
                return (batch.Images, batch.Labels);
            }

            Tensor images = batch.Images.Device.Empty(shape);
            _places[shape] = place = (images, batch.Labels.Device.Empty(batch.Labels.Shape, batch.Labels.DType));
        }

        place.Images.CopyFrom(batch.Images);
        place.Labels.CopyFrom(batch.Labels);
        return place;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (images, labels) in _places.Values)
        {
            images.Dispose();
            labels.Dispose();
        }

        _places.Clear();
    }
}
