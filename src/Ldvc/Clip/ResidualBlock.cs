using Ldvc.Autograd;
using Ldvc.Autograd.Blocks;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Configuration;
using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Clip;

/// <summary>
/// CLIP's pre-norm transformer block: x + attention(ln_1 x), then x + mlp(ln_2 x) with the tower's activation. Names are OpenAI's. The sum that runs
/// through the blocks is float32; what lies between two products is stored as the frozen matrix that reads it, in float32, bf16 or fp16.
/// </summary>
internal sealed class ResidualBlock : Module
{
    private readonly int _heads;
    private readonly bool _causal;
    private readonly Activation _activation;
    private readonly float _epsilon;
    private readonly Parameter _norm1Weight;
    private readonly Parameter _norm1Bias;
    private readonly Parameter _inWeight;
    private readonly Parameter _inBias;
    private readonly Parameter _outWeight;
    private readonly Parameter _outBias;
    private readonly Parameter _norm2Weight;
    private readonly Parameter _norm2Bias;
    private readonly Parameter _fc1Weight;
    private readonly Parameter _fc1Bias;
    private readonly Parameter _fc2Weight;
    private readonly Parameter _fc2Bias;
    private readonly BlockWeights _weights;

    internal ResidualBlock(IWeightSource weights, string prefix, TowerConfig tower, bool causal)
    {
        int width = tower.Width, hidden = tower.MlpWidth;
        (_heads, _causal, _activation, _epsilon) = (tower.Heads, causal, tower.Activation, tower.NormEpsilon);

        // OpenAI's standard deviations: attention width^-1/2, residual projections divided by sqrt(2 layers), MLP (2 width)^-1/2.
        double attention = Math.Pow(width, -0.5), projection = attention * Math.Pow(2 * tower.Layers, -0.5), mlp = Math.Pow(2 * width, -0.5);
        Parameter Take(string name, Shape shape, double std, float constant = 0) => Add(name, weights.Get(prefix + name, shape, std, constant));
        Parameter TakeMatrix(string name, Shape shape, double std) => Add(name, weights.GetMatrix(prefix + name, shape, std));

        _norm1Weight = Take("ln_1.weight", new Shape(width), 0, 1);
        _norm1Bias = Take("ln_1.bias", new Shape(width), 0);
        _inWeight = TakeMatrix("attn.in_proj_weight", new Shape(3 * width, width), attention);
        _inBias = Take("attn.in_proj_bias", new Shape(3 * width), 0);
        _outWeight = TakeMatrix("attn.out_proj.weight", new Shape(width, width), projection);
        _outBias = Take("attn.out_proj.bias", new Shape(width), 0);
        _norm2Weight = Take("ln_2.weight", new Shape(width), 0, 1);
        _norm2Bias = Take("ln_2.bias", new Shape(width), 0);
        _fc1Weight = TakeMatrix("mlp.c_fc.weight", new Shape(hidden, width), mlp);
        _fc1Bias = Take("mlp.c_fc.bias", new Shape(hidden), 0);
        _fc2Weight = TakeMatrix("mlp.c_proj.weight", new Shape(width, hidden), projection);
        _fc2Bias = Take("mlp.c_proj.bias", new Shape(width), 0);
        _weights = new BlockWeights(
            _heads,
            _causal,
            _activation,
            _epsilon,
            new(_norm1Weight, _norm1Bias),
            new(_inWeight, _inBias),
            new(_outWeight, _outBias),
            new(_norm2Weight, _norm2Bias),
            new(_fc1Weight, _fc1Bias), new(_fc2Weight, _fc2Bias));
    }

    /// <summary>x [B, T, width] -> the same shape. Every intermediate is dropped as soon as nothing but the backward may need it.</summary>
    internal Variable Forward(Tape tape, Variable x)
    {
        if (FrozenBlock.Takes(tape, _weights))
        {
            return FrozenBlock.Run(tape, x, _weights);
        }

        using var scope = tape.BeginScope();
        return scope.Keep(Finish(tape, Project(tape, x, _outWeight.Value.DType), 0, x));
    }

    /// <summary>
    /// The block for sequences that begin alike: x [B, T, width] comes after the tokens of prefixes[layer] of [L, P, width] -> [B, T, width]. What
    /// causal attention makes of the prefix depends on nothing after it, so its keys and values are computed once for all sequences, and its outputs
    /// not at all.
    /// </summary>
    internal Variable Continue(Tape tape, Variable prefixes, int layer, Variable x)
    {
        if (!_causal)
        {
            throw new InvalidOperationException("tokens that see all others cannot be shared between sequences");
        }

        if (FrozenBlock.Takes(tape, _weights))
        {
            return FrozenBlock.Run(tape, x, prefixes, layer, _weights);
        }

        // Tokens are copied in float32.
        using var scope = tape.BeginScope();
        int length = prefixes.Shape[1];
        var prefix = tape.Reshape(tape.Row(prefixes, layer), 1, length, prefixes.Shape[2]);
        var shared = Project(tape, prefix, DType.Float32);
        var rows = tape.Reshape(shared, length, shared.Shape[2]);
        var packed = tape.Splice(Project(tape, x, DType.Float32), rows, 0, 0);
        return scope.Keep(Finish(tape, packed, length, x));
    }

    /// <summary>
    /// The block for texts as a tree: x [1, nodes, width] -> the same shape, or with <paramref name="endsOnly"/> [1, texts, width], the EOT tokens.
    /// Products are over nodes; for attention alone the texts are laid out one by one.
    /// </summary>
    internal Variable Branch(Tape tape, Variable x, TokenTree tree, bool endsOnly)
    {
        if (!_causal)
        {
            throw new InvalidOperationException("tokens that see all others cannot be shared between sequences");
        }

        using var scope = tape.BeginScope();
        var apart = tape.Gather(Project(tape, x, DType.Float32), tree.Sequences, tree.Texts, tree.Length);
        int[] wanted = endsOnly ? tree.Ends : tree.Origins;
        var attended = tape.Gather(tape.SelfAttention(apart, _heads, _causal), wanted, 1, wanted.Length);
        var before = endsOnly ? tape.Gather(x, tree.EndNodes, 1, tree.Texts) : x;
        return scope.Keep(FeedForward(tape, tape.Linear(attended, _outWeight, _outBias, Activation.None, before)));
    }

    private Variable Project(Tape tape, Variable x, DType type)
    {
        using var scope = tape.BeginScope();
        var normalized = tape.LayerNorm(x, _norm1Weight, _norm1Bias, _epsilon, _inWeight.Value.DType);
        return scope.Keep(tape.Linear(normalized, _inWeight, _inBias, type: type));
    }

    // From queries, keys and values of all tokens to the outputs of those from `first` on, which x holds the inputs of.
    private Variable Finish(Tape tape, Variable packed, int first, Variable x)
    {
        using var scope = tape.BeginScope();
        return scope.Keep(FeedForward(tape, Attend(tape, packed, first, x)));
    }

    private Variable FeedForward(Tape tape, Variable middle)
    {
        using var scope = tape.BeginScope();
        var normalized = tape.LayerNorm(middle, _norm2Weight, _norm2Bias, _epsilon, _fc1Weight.Value.DType);
        var hidden = tape.Linear(normalized, _fc1Weight, _fc1Bias, _activation, type: _fc2Weight.Value.DType);
        return scope.Keep(tape.Linear(hidden, _fc2Weight, _fc2Bias, Activation.None, middle));
    }

    private Variable Attend(Tape tape, Variable packed, int first, Variable x)
    {
        using var scope = tape.BeginScope();
        var all = tape.SelfAttention(packed, _heads, _causal);
        var own = first > 0 ? tape.SliceTokens(all, first, x.Shape[1]) : all;
        return scope.Keep(tape.Linear(own, _outWeight, _outBias, Activation.None, x));
    }

    /// <summary>
    /// The block as the last one of a tower whose patches are compared with texts (docs/training-free.md): attention by another similarity, and
    /// without the residual connections only what attention gives, without the feed-forward part.
    /// </summary>
    internal Variable Compare(Tape tape, Variable x, SelfSimilarity similarity, bool residual)
    {
        using var scope = tape.BeginScope();
        var packed = Project(tape, x, DType.Float32);
        int width = x.Shape[2];
        var values = tape.Slice(packed, 2, 2 * width, width);
        Variable Alike(int part)
        {
            var some = tape.Slice(packed, 2, part * width, width);
            return tape.Attention(some, some, values, _heads, 0);
        }

        var attended = similarity switch
        {
            SelfSimilarity.Plain => tape.SelfAttention(packed, _heads, false),
            SelfSimilarity.Qq => Alike(0),
            _ => tape.Add(Alike(0), Alike(1)),
        };
        if (!residual)
        {
            return scope.Keep(tape.Linear(attended, _outWeight, _outBias));
        }

        return scope.Keep(FeedForward(tape, tape.Linear(attended, _outWeight, _outBias, Activation.None, x)));
    }
}
