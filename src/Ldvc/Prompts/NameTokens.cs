using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Tensors;

namespace Ldvc.Prompts;

/// <summary>
/// What a frozen text tower's first layer gets of texts after what they share: a training encodes the same class names at every step.
/// </summary>
internal sealed class NameTokens : IDisposable
{
    private readonly TextTower _tower;
    private readonly int[] _ids;
    private readonly int _count;
    private readonly Tensor _inputs;

    /// <summary>Embeds the tokens from position `first` on.</summary>
    internal NameTokens(TextTower tower, TokenBatch texts, int first, Device device)
    {
        (_tower, _ids, _count) = (tower, [.. texts.Ids], texts.Count);
        using var tape = new Tape(device, recording: false);
        var embedded = tower.Embed(tape, texts.Ids, texts.Count, texts.Length);
        _inputs = tape.SliceTokens(embedded, first, texts.Length - first).Value.Share();
    }

    /// <summary>[texts, tokens, width]: a handle that the caller disposes of.</summary>
    internal Tensor Inputs() => _inputs.Share();

    /// <summary>Whether this is about a tower and texts.</summary>
    internal bool Holds(TextTower tower, TokenBatch texts) =>
        ReferenceEquals(_tower, tower) && _count == texts.Count && _ids.AsSpan().SequenceEqual(texts.Ids);

    /// <inheritdoc/>
    public void Dispose() => _inputs.Dispose();
}
