using Ldvc.Configuration;
using Ldvc.Kernels;
using Ldvc.Kernels.RouteAttention;

namespace Ldvc.Interop;

/// <summary>Adapter, decoder and mask head (method.md 4 to 6) as ONNX nodes.</summary>
internal sealed class OnnxDecoder(OnnxParts parts, ModelConfig config, int width, int rows, int columns)
{
    private const float NormEpsilon = 1e-5f;
    private readonly DecoderConfig _decoder = config.Decoder;
    private readonly bool _visionQuery = config.Decoder.Kind == DecoderKind.VisionQuery;

    /// <summary>Class token [N, 1, E], patches [N, h*w, E] and class embeddings [C, E] -> mask logits [N, C, h, w].</summary>
    internal string Forward(string token, string patches, string classes)
    {
        OnnxGraph graph = parts.Graph;
        string adapted = Adapt(token, classes), x = _visionQuery ? patches : adapted;
        string? scores = null;
        for (int i = 0; i < _decoder.Layers; i++)
        {
            string layer = $"decoder.layers.{i}.", queries = SelfAttend(x, layer), keys = _visionQuery ? adapted : patches;
            if (config.Head == MaskHead.Attention && i == _decoder.Layers - 1)
            {
                scores = Scores(queries, keys, layer);
                break;
            }

            x = CrossAttend(queries, keys, layer);
        }

        scores ??= _visionQuery ? Products(adapted, x) : Products(x, patches);
        return parts.Reshape(scores, 0, 0, rows, columns);
    }

    // [ t * g ; t ] W^T + b, the two halves of W apart.
    private string Adapt(string token, string classes)
    {
        OnnxGraph graph = parts.Graph;
        string product = graph.Node("MatMul", [graph.Node("Mul", [token, classes]), parts.Transposed("adapter.weight", 0, width)]);
        string plain = graph.Node("MatMul", [classes, parts.Transposed("adapter.weight", width, width)]);
        return parts.Add(product, parts.Add(plain, parts.Weight("adapter.bias")));
    }

    private string SelfAttend(string x, string layer)
    {
        if (_decoder.Attention == SelfAttention.None || !_visionQuery)
        {
            return x;
        }

        string q = parts.Linear(x, layer + "self.q"), k = Centred(parts.Linear(x, layer + "self.k")), v = parts.Linear(x, layer + "self.v");
        string? bias = null;
        if (_decoder.Attention == SelfAttention.Route)
        {
            int each = width / _decoder.Heads;
            bias = new OnnxRoute(parts, new RouteSizes(1, _decoder.Heads, each, rows, columns, _decoder.Windows, _decoder.Topk, 1)).Bias(q, k);
        }

        string attended = parts.Linear(parts.Attention(q, k, v, _decoder.Heads, width, bias), layer + "self.o");
        return parts.Norm(parts.Add(x, attended), layer + "norm1", NormEpsilon);
    }

    private string CrossAttend(string queries, string keys, string layer)
    {
        string q = parts.Linear(queries, layer + "cross.q"), k = Centred(
            parts.Linear(keys, layer + "cross.k")), v = parts.Linear(keys, layer + "cross.v");
        string attended = parts.Linear(parts.Attention(q, k, v, _decoder.Heads, width), layer + "cross.o");
        string middle = parts.Norm(parts.Add(queries, attended), layer + "norm2", NormEpsilon);
        string hidden = parts.Activate(parts.Linear(middle, layer + "ffn.fc1"), Activation.Relu);
        return parts.Norm(parts.Add(middle, parts.Linear(hidden, layer + "ffn.fc2")), layer + "norm3", NormEpsilon);
    }

    // The mean over heads of the scores before the softmax, [N, C, h*w].
    private string Scores(string queries, string keys, string layer)
    {
        string q = parts.Linear(queries, layer + "cross.q"), k = parts.Linear(keys, layer + "cross.k");
        float factor = 1f / (_decoder.Heads * MathF.Sqrt(width / _decoder.Heads));
        return parts.Scale(_visionQuery ? Products(k, q) : Products(q, k), factor);
    }

    private string Products(string a, string b) => parts.Graph.Node("MatMul", [a, parts.Transpose(b, 0, 2, 1)]);

    // A vector that all keys share does not change attention; without it rounding, and with it the choice of windows, is that of the model here.
    private string Centred(string k) => parts.Graph.Node("Sub", [k, parts.Graph.Node("ReduceMean", [k], ("axes", new[] { 1 }), ("keepdims", 1))]);
}
