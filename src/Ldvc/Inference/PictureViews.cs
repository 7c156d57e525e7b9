namespace Ldvc.Inference;

/// <summary>
/// A picture's windows in each of its views: one for every scale, and as many again when it is mirrored, too (eval.scales, eval.flip).
/// </summary>
internal sealed class PictureViews : IDisposable
{
    private readonly List<(WindowSet Windows, bool Flipped)> _views = [];

    /// <summary>Whether there is nothing to average.</summary>
    internal bool Single => _views.Count == 1;

    /// <summary>How many views there are.</summary>
    internal int Count => _views.Count;

    /// <summary>Pixels of the largest view, with the padding that its windows need.</summary>
    internal long LargestCanvas => _views.Max(view => (long)view.Windows.PaddedHeight * view.Windows.PaddedWidth);

    /// <summary>A view, and whether it is mirrored.</summary>
    internal (WindowSet Windows, bool Flipped) this[int view] => _views[view];

    /// <inheritdoc/>
    public void Dispose() => _views.ForEach(view => view.Windows.Dispose());

    /// <summary>Takes ownership of a view.</summary>
    internal void Add(WindowSet windows, bool flipped) => _views.Add((windows, flipped));
}
