using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Tensors;

namespace Ldvc.Clip;

/// <summary>CLIP's causal text transformer (method.md 3).</summary>
internal sealed class TextTower : Module
{
    private readonly ClipConfig _config;
    private readonly Parameter _tokens;
    private readonly Parameter _positions;
    private readonly ResidualBlock[] _blocks;
    private readonly Parameter _finalWeight;
    private readonly Parameter _finalBias;
    private readonly Parameter _projection;

    internal TextTower(IWeightSource weights, ClipConfig config)
    {
        _config = config;
        int width = config.Text.Width;
        Parameter Take(string name, Shape shape, double std, float constant = 0) => Add(name, weights.Get(name, shape, std, constant));

        _tokens = Take("token_embedding.weight", new Shape(config.VocabularySize, width), 0.02);
        _positions = Take("positional_embedding", new Shape(config.ContextLength, width), 0.01);
        _blocks = new ResidualBlock[config.Text.Layers];
        for (int i = 0; i < _blocks.Length; i++)
        {
            _blocks[i] = Add($"transformer.resblocks.{i}", new ResidualBlock(weights, $"transformer.resblocks.{i}.", config.Text, true));
        }

        _finalWeight = Take("ln_final.weight", new Shape(width), 0, 1);
        _finalBias = Take("ln_final.bias", new Shape(width), 0);
        _projection = Add("text_projection", weights.GetProjection("text_projection", config.Embedding, width, Math.Pow(width, -0.5)));
    }

    /// <summary>Number of residual blocks.</summary>
    internal int Layers => _blocks.Length;

    /// <summary>Floats of a token.</summary>
    internal int Width => _config.Text.Width;

    /// <summary>ids [n * length] -> token plus position embeddings [n, length, width].</summary>
    internal Variable Embed(Tape tape, ReadOnlySpan<int> ids, int count, int length)
    {
        using var scope = tape.BeginScope();
        return scope.Keep(tape.AddRows(tape.Gather(_tokens, ids, count, length), _positions));
    }

    /// <summary>Runs block `layer`.</summary>
    internal Variable Block(Tape tape, int layer, Variable x) => _blocks[layer].Forward(tape, x);

    /// <summary>
    /// Runs block `layer` on tokens x [n, T, width] that come after the tokens prefixes[layer] of [layers, P, width], which all texts begin with.
    /// </summary>
    internal Variable Continue(Tape tape, int layer, Variable prefixes, Variable x) => _blocks[layer].Continue(tape, prefixes, layer, x);

    /// <summary>Reads the feature at the EOT positions: ln_final, then the projection -> [n, E], not normalised.</summary>
    /// <param name="tape">The tape.</param>
    /// <param name="x">Tokens [n, T, width] from position `first` on.</param>
    /// <param name="ends">EOT position of each text.</param>
    /// <param name="first">Position of x's first token.</param>
    internal Variable Read(Tape tape, Variable x, ReadOnlySpan<int> ends, int first = 0)
    {
        Span<int> rows = ends.Length <= 256 ? stackalloc int[ends.Length] : new int[ends.Length];
        for (int i = 0; i < ends.Length; i++)
        {
            rows[i] = (i * x.Shape[1]) + ends[i] - first;
        }

        using var scope = tape.BeginScope();
        var features = tape.Gather(x, rows, ends.Length);
        var normalized = tape.LayerNorm(features, _finalWeight, _finalBias, _config.Text.NormEpsilon);
        return scope.Keep(tape.Linear(normalized, _projection, null));
    }

    /// <summary>CLIP's text features [n, E], not normalised, cut to the longest text of the batch (exact: attention is causal).</summary>
    internal Variable Encode(Tape tape, TokenBatch batch, Action<int, Variable>? observe = null)
    {
        using var scope = tape.BeginScope();
        var x = Embed(tape, batch.Ids, batch.Count, batch.Length);
        for (int i = 0; i < _blocks.Length; i++)
        {
            x = tape.Replace(x, Block(tape, i, x));
            observe?.Invoke(i, x);
        }

        return scope.Keep(Read(tape, x, batch.Ends));
    }

    /// <summary>
    /// The same features for texts that begin alike: shared tokens are computed once, and of the last block nothing but the EOT tokens.
    /// </summary>
    internal Variable Encode(Tape tape, TokenTree tree)
    {
        using var scope = tape.BeginScope();
        int nodes = tree.Ids.Length;
        var x = tape.Add(tape.Gather(_tokens, tree.Ids, 1, nodes), tape.Gather(_positions, tree.Positions, 1, nodes));
        for (int i = 0; i < _blocks.Length; i++)
        {
            x = tape.Replace(x, _blocks[i].Branch(tape, x, tree, i == _blocks.Length - 1));
        }

        var features = tape.Reshape(x, tree.Texts, Width);
        var normalized = tape.LayerNorm(features, _finalWeight, _finalBias, _config.Text.NormEpsilon);
        return scope.Keep(tape.Linear(normalized, _projection, null));
    }
}
