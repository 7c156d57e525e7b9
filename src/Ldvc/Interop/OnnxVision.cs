using Ldvc.Clip;

namespace Ldvc.Interop;

/// <summary>
/// The prompted vision tower (method.md 2) as ONNX nodes, at one picture size. Prompts are projected when the file is written: nothing of them
/// depends on the picture.
/// </summary>
internal sealed class OnnxVision(OnnxParts parts, ClipConfig clip, bool classTwice, int rows, int columns)
{
    private const string Tower = "visual.";
    private const string Prompt = "visual.prompt.";
    private const float PromptNormEpsilon = 1e-6f;

    private readonly int _width = clip.Vision.Width;
    private readonly int _prompts = parts.Has(Prompt + "shallow") ? parts.Shape(Prompt + "shallow")[0] : 0;

    /// <summary>image [N, 3, H, W] -> the class token [N, 1, E] and the patches [N, h*w, E], of unit length.</summary>
    internal (string Class, string Patches) Encode(string image)
    {
        OnnxGraph graph = parts.Graph;
        int patch = clip.PatchSize, count = rows * columns;
        string batch = graph.Node("Shape", [image], ("start", 0), ("end", 1));
        string x = graph.Node(
            "Conv", [image, parts.Weight(Tower + "conv1.weight")], ("kernel_shape", new[] { patch, patch }), ("strides", new[] { patch, patch }));
        x = parts.Transpose(parts.Reshape(x, 0, _width, count), 0, 2, 1);
        x = parts.Add(x, graph.Constant(Tower + "positions.patches", () => Positions()[_width..], 1, count, _width));
        string token = graph.Constant(Tower + "positions.class", ClassToken, 1, 1, _width);
        x = parts.Concat(1, Repeat(token, batch, 1), x);
        x = parts.Norm(x, Tower + "ln_pre", clip.Vision.NormEpsilon);
        for (int layer = 0; layer < clip.Vision.Layers; layer++)
        {
            x = _prompts > 0 ? Insert(x, batch, layer) : x;
            x = Block(x, $"{Tower}transformer.resblocks.{layer}.");
        }

        x = parts.Norm(x, Prompt + "norm", PromptNormEpsilon);
        x = parts.Linear(parts.Norm(x, Tower + "ln_post", clip.Vision.NormEpsilon), Tower + "proj", null);
        int first = 1 + _prompts;
        return (parts.Unit(parts.Tokens(x, 0, 1)), parts.Unit(parts.Tokens(x, first, first + count)));
    }

    private string Block(string x, string name)
    {
        OnnxGraph graph = parts.Graph;
        string packed = parts.Linear(parts.Norm(x, name + "ln_1", clip.Vision.NormEpsilon), name + "attn.in_proj_weight", name + "attn.in_proj_bias");
        string[] qkv = graph.Nodes("Split", [packed, graph.Constant(_width, _width, _width)], 3, string.Empty, ("axis", 2));
        x = parts.Add(x, parts.Linear(parts.Attention(qkv[0], qkv[1], qkv[2], clip.Vision.Heads, _width), name + "attn.out_proj"));
        string hidden = parts.Linear(parts.Norm(x, name + "ln_2", clip.Vision.NormEpsilon), name + "mlp.c_fc");
        return parts.Add(x, parts.Linear(parts.Activate(hidden, clip.Vision.Activation), name + "mlp.c_proj"));
    }

    // Inserted after the class token before the first layer, replaced before each later one.
    private string Insert(string x, string batch, int layer)
    {
        string prompts = parts.Graph.Constant($"{Prompt}projected.{layer}", () => Projected(layer), 1, _prompts, _width);
        int rest = layer == 0 ? 1 : 1 + _prompts;
        return parts.Concat(1, parts.Tokens(x, 0, 1), Repeat(prompts, batch, _prompts), parts.Tokens(x, rest, long.MaxValue));
    }

    private string Repeat(string constant, string batch, int tokens)
    {
        string shape = parts.Concat(0, batch, parts.Graph.Constant(tokens, _width));
        return parts.Graph.Node("Expand", [constant, shape]);
    }

    private float[] Projected(int layer)
    {
        float[] tokens = layer == 0
            ? parts.Values(Prompt + "shallow")
            : parts.Values(Prompt + "deep").AsSpan((layer - 1) * _prompts * _width, _prompts * _width).ToArray();
        float[] weight = parts.Values(Prompt + "proj.weight"), bias = parts.Values(Prompt + "proj.bias");
        var result = new float[tokens.Length];
        for (int i = 0; i < result.Length; i++)
        {
            int token = i / _width * _width, row = i % _width * _width;
            double sum = bias[i % _width];
            for (int j = 0; j < _width; j++)
            {
                sum += (double)tokens[token + j] * weight[row + j];
            }

            result[i] = (float)sum;
        }

        return result;
    }

    private float[] Positions()
    {
        float[] own = parts.Values(Tower + "positional_embedding");
        return rows == clip.Grid && columns == clip.Grid ? own : PositionEmbedding.Resize(own, clip.Grid, rows, columns, _width);
    }

    private float[] ClassToken()
    {
        float[] token = parts.Values(Tower + "class_embedding"), position = Positions();
        int times = classTwice ? 2 : 1;
        return [.. token.Select((value, i) => (times * value) + position[i])];
    }
}
