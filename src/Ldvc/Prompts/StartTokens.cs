using Ldvc.Autograd;
using Ldvc.Clip;
using Ldvc.Tensors;

namespace Ldvc.Prompts;

/// <summary>
/// What a frozen text tower makes of the start token before each layer. Attention is causal: nothing that comes after it, prompts included, changes
/// it, so it is computed once for a whole training.
/// </summary>
internal sealed class StartTokens : IDisposable
{
    private readonly TextTower _tower;
    private readonly int _id;
    private readonly Tensor _inputs;

    /// <summary>Runs the tower on a token.</summary>
    internal StartTokens(TextTower tower, int id, Device device)
    {
        (_tower, _id) = (tower, id);
        if (tower.Parameters().FirstOrDefault(p => p.Parameter.Trainable).Name is { } trained)
        {
            throw new InvalidOperationException($"text prompts: expected a frozen text tower, but {trained} is trained");
        }

        _inputs = device.Empty(new Shape(tower.Layers, 1, tower.Width));
        try
        {
            using var tape = new Tape(device, recording: false);
            var x = tower.Embed(tape, [id], 1, 1);
            for (int layer = 0; layer < tower.Layers; layer++)
            {
                using (var row = _inputs.Slice(layer, 1))
                {
                    row.CopyFrom(x.Value);
                }

                x = layer + 1 < tower.Layers ? tape.Replace(x, tower.Block(tape, layer, x)) : x;
            }
        }
        catch
        {
            _inputs.Dispose();
            throw;
        }
    }

    /// <summary>The token's value before each layer, [layers, 1, width]: a handle that the caller disposes of.</summary>
    internal Tensor Inputs() => _inputs.Share();

    /// <summary>Whether this is about a tower and a token.</summary>
    internal bool Holds(TextTower tower, int id) => ReferenceEquals(_tower, tower) && _id == id;

    /// <inheritdoc/>
    public void Dispose() => _inputs.Dispose();
}
