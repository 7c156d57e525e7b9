using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Configuration;

namespace Ldvc.Decoder;

/// <summary>The decoder and its mask head (method.md 5 and 6): patches V and adapted class embeddings T to mask logits.</summary>
internal sealed class ConsensusDecoder : Module
{
    private readonly ModelConfig _config;
    private readonly DecoderLayer[] _layers;

    internal ConsensusDecoder(Initializer init, ModelConfig config, int width)
    {
        _config = config;
        _layers = new DecoderLayer[config.Decoder.Layers];
        for (int i = 0; i < _layers.Length; i++)
        {
            _layers[i] = Add($"layers.{i}", new DecoderLayer(init, config.Decoder, width));
            if (i > 0)
            {
                // All layers start from one copied prototype.
                foreach (var ((_, own), (_, first)) in _layers[i].Parameters().Zip(_layers[0].Parameters()))
                {
                    own.Value.CopyFrom(first.Value);
                }
            }
        }
    }

    /// <summary>V [B, h*w, E], T [B, C, E] -> mask logits [B, C, h, w].</summary>
    internal Variable Forward(Tape tape, Variable patches, Variable classes, int gridHeight, int gridWidth)
    {
        bool visionQuery = _config.Decoder.Kind == DecoderKind.VisionQuery;
        bool attentionHead = _config.Head == MaskHead.Attention;
        using var scope = tape.BeginScope();
        var x = tape.Share(visionQuery ? patches : classes);
        Variable? scores = null;
        for (int i = 0; i < _layers.Length; i++)
        {
            var layer = _layers[i];
            using var inner = tape.BeginScope();
            var queries = layer.SelfAttend(tape, x, gridHeight, gridWidth);
            var keys = visionQuery ? classes : patches;
            if (attentionHead && i == _layers.Length - 1)
            {
                // The head reads the last layer's scores; nothing after them is computed.
                scores = inner.Keep(layer.Scores(tape, queries, keys));
                break;
            }

            x = tape.Replace(x, inner.Keep(layer.CrossAttend(tape, queries, keys)));
        }

        scores ??= visionQuery ? tape.MatMulTransposed(classes, x, 1) : tape.MatMulTransposed(x, patches, 1);
        return scope.Keep(tape.Reshape(scores, scores.Shape[0], scores.Shape[1], gridHeight, gridWidth));
    }
}
