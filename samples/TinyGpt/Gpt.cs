using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Tensors;

namespace TinyGpt;

/// <summary>Sizes of a network.</summary>
public sealed record GptSizes(int Layers, int Width, int Heads, int Context, int Vocabulary);

/// <summary>A pre-norm GPT with learned positions and exact GELU; the output layer is the token embedding transposed.</summary>
public sealed class Gpt : Module
{
    private readonly GptSizes _sizes;
    private readonly Embedding _tokens, _positions;
    private readonly Block[] _blocks;
    private readonly LayerNorm _norm;

    /// <summary>Creates the parameters.</summary>
    public Gpt(Initializer init, GptSizes sizes)
    {
        _sizes = sizes;
        _tokens = Add("tok", new Embedding(init, sizes.Vocabulary, sizes.Width, std: 0.02));
        _positions = Add("pos", new Embedding(init, sizes.Context, sizes.Width, std: 0.02));
        _blocks = [.. Enumerable.Range(0, sizes.Layers).Select(i => Add($"blocks.{i}", new Block(init, sizes)))];
        _norm = Add("ln_f", new LayerNorm(init, sizes.Width));
    }

    /// <summary>Token ids of a batch of rows, one after the other -> logits [batch, length, vocabulary] of what comes next.</summary>
    public Variable Forward(Tape tape, ReadOnlySpan<int> ids, int batch)
    {
        int length = ids.Length / batch;
        var x = _tokens.Forward(tape, ids, batch, length) + tape.Slice(_positions.Weight, axis: 0, start: 0, length);
        foreach (var block in _blocks)
        {
            x = block.Forward(tape, x, _sizes.Heads);
        }

        return tape.Linear(_norm.Forward(tape, x), _tokens.Weight, bias: null);
    }

    private sealed class Block : Module
    {
        private readonly LayerNorm _norm1, _norm2;
        private readonly Linear _qkv, _projection, _up, _down;

        internal Block(Initializer init, GptSizes sizes)
        {
            _norm1 = Add("ln1", new LayerNorm(init, sizes.Width));
            _norm2 = Add("ln2", new LayerNorm(init, sizes.Width));
            _qkv = Add("qkv", new Linear(init, sizes.Width, 3 * sizes.Width));
            _projection = Add("proj", new Linear(init, sizes.Width, sizes.Width));
            _up = Add("fc1", new Linear(init, sizes.Width, 4 * sizes.Width));
            _down = Add("fc2", new Linear(init, 4 * sizes.Width, sizes.Width));
        }

        internal Variable Forward(Tape tape, Variable x, int heads)
        {
            var qkv = tape.Linear(_norm1.Forward(tape, x), _qkv.Weight, Bias(tape));
            var attended = tape.SelfAttention(qkv, heads, causal: true);
            x += _projection.Forward(tape, attended);
            return x + _down.Forward(tape, tape.Gelu(_up.Forward(tape, _norm2.Forward(tape, x))));
        }

        // What is added to every key moves all scores of a query alike, which softmax does not see: the bias has no gradient. Computed, it would be
        // rounding that AdamW makes steps of, since it divides by the gradient's size.
        private Variable Bias(Tape tape)
        {
            Parameter bias = _qkv.Bias!;
            int width = bias.Shape[0] / 3;
            var keys = tape.Constant(bias.Value.Slice(width, width));
            return tape.Concat([tape.Slice(bias, axis: 0, start: 0, width), keys, tape.Slice(bias, axis: 0, start: 2 * width, width)], axis: 0);
        }
    }
}
