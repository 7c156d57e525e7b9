using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Configuration;

namespace Ldvc.Decoder;

/// <summary>
/// One post-norm layer of the visual-consensus decoder (method.md 5): self-attention over the patches, cross-attention to the class embeddings, FFN.
/// As ZegCLIP's class-query decoder (method.md 10) the class embeddings are the queries, the patches keys and values, and there is no self-attention.
/// </summary>
internal sealed class DecoderLayer : Module
{
    private readonly DecoderConfig _config;
    private readonly float _dropout;
    private readonly AttentionProjections? _self;
    private readonly AttentionProjections _cross;
    private readonly FeedForward _ffn;
    private readonly LayerNorm _norm1;
    private readonly LayerNorm _norm2;
    private readonly LayerNorm _norm3;

    internal DecoderLayer(Initializer init, DecoderConfig config, int width)
    {
        _config = config;
        _dropout = (float)config.Dropout;
        if (config.Attention != SelfAttention.None && config.Kind == DecoderKind.VisionQuery)
        {
            _self = Add("self", new AttentionProjections(init, width));
        }

        _cross = Add("cross", new AttentionProjections(init, width));
        _ffn = Add("ffn", new FeedForward(init, width, config.FfnRatio));
        _norm1 = Add("norm1", new LayerNorm(init, width));
        _norm2 = Add("norm2", new LayerNorm(init, width));
        _norm3 = Add("norm3", new LayerNorm(init, width));
    }

    /// <summary>norm1( V + drop( self-attention( V ) ) ); a second handle to V when there is none.</summary>
    internal Variable SelfAttend(Tape tape, Variable tokens, int gridHeight, int gridWidth)
    {
        if (_self is null)
        {
            return tape.Share(tokens);
        }

        using var scope = tape.BeginScope();
        var attended = Exchange(tape, _self, tokens, gridHeight, gridWidth);
        return scope.Keep(AddAndNormalize(tape, tokens, _self.Output.Forward(tape, attended), _norm1));
    }

    private Variable Exchange(Tape tape, AttentionProjections self, Variable tokens, int gridHeight, int gridWidth)
    {
        bool routes = _config.Attention == SelfAttention.Route;
        using var scope = tape.BeginScope();
        if (self.Together && routes)
        {
            return scope.Keep(
                tape.SelfRouteAttention(self.QueriesKeysValues(tape, tokens), _config.Heads, gridHeight, gridWidth, _config.Windows, _config.Topk));
        }

        var q = self.Query.Forward(tape, tokens);
        var k = self.Keys(tape, tokens);
        var v = self.Value.Forward(tape, tokens);
        return scope.Keep(routes
            ? tape.RouteAttention(q, k, v, _config.Heads, gridHeight, gridWidth, _config.Windows, _config.Topk)
            : tape.Attention(q, k, v, _config.Heads, 0));
    }

    /// <summary>
    /// Mask logits [B, C, N]: the mean over heads of the scores before the softmax. The mean of per-head products is the whole product divided by
    /// the number of heads, so it is one matrix product.
    /// </summary>
    internal Variable Scores(Tape tape, Variable queries, Variable keys)
    {
        using var scope = tape.BeginScope();
        var q = _cross.Query.Forward(tape, queries);
        var k = _cross.Key.Forward(tape, keys);
        float alpha = 1f / (_config.Heads * MathF.Sqrt(q.Shape[2] / _config.Heads));
        return scope.Keep(_config.Kind == DecoderKind.VisionQuery ? tape.MatMulTransposed(k, q, alpha) : tape.MatMulTransposed(q, k, alpha));
    }

    /// <summary>Cross-attention and FFN: queries attend to keys and are updated.</summary>
    internal Variable CrossAttend(Tape tape, Variable queries, Variable keys)
    {
        using var scope = tape.BeginScope();
        var middle = Attend(tape, queries, keys);
        return scope.Keep(AddAndNormalize(tape, middle, _ffn.Forward(tape, middle, _dropout), _norm3));
    }

    private Variable Attend(Tape tape, Variable queries, Variable keys)
    {
        using var scope = tape.BeginScope();
        var q = _cross.Query.Forward(tape, queries);
        var attended = _cross.Together
            ? tape.AttentionTo(q, _cross.KeysValues(tape, keys), _config.Heads, _dropout)
            : tape.Attention(q, _cross.Keys(tape, keys), _cross.Value.Forward(tape, keys), _config.Heads, _dropout);
        return scope.Keep(AddAndNormalize(tape, queries, _cross.Output.Forward(tape, attended), _norm2));
    }

    private Variable AddAndNormalize(Tape tape, Variable x, Variable branch, LayerNorm norm) => norm.Forward(tape, x, branch, _dropout);
}
