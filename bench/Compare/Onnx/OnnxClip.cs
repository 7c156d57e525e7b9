using Ldvc.Clip;
using Ldvc.Interop;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Bench.Compare.Onnx;

/// <summary>CLIP's towers as ONNX graphs: what an exporter would write, with ONNX Runtime's own fused attention where that is faster.</summary>
internal sealed class OnnxClip(OnnxGraph graph, TensorArchive weights)
{
    /// <summary>image [1, 3, size, size] -> the projected class token [1, E].</summary>
    internal void Vision(ClipConfig config, int size)
    {
        int width = config.Vision.Width, grid = size / config.PatchSize, patches = grid * grid, patch = config.PatchSize;
        string image = graph.Input("image", false, 1, 3, size, size);
        string x = graph.Node(
            "Conv", [image, Weight("visual.conv1.weight")], ("kernel_shape", new[] { patch, patch }), ("strides", new[] { patch, patch }));
        x = graph.Node("Transpose", [graph.Node("Reshape", [x, graph.Constant(1, width, patches)])], ("perm", new[] { 0, 2, 1 }));
        string token = graph.Constant(weights.ReadFloat32("visual.class_embedding"), 1, 1, width);
        x = graph.Node("Concat", [token, x], ("axis", 1));
        var positions = weights.ReadFloat32("visual.positional_embedding");
        if (grid != config.Grid)
        {
            positions = PositionEmbedding.Resize(positions, config.Grid, grid, grid, width);
        }

        x = graph.Node("Add", [x, graph.Constant(positions, 1, patches + 1, width)]);
        x = Norm(x, "visual.ln_pre");
        for (int i = 0; i < config.Vision.Layers; i++)
        {
            x = Block(x, $"visual.transformer.resblocks.{i}.", 1, patches + 1, config.Vision, false);
        }

        x = graph.Node("Gather", [x, graph.Constant(0)], ("axis", 1));
        x = Norm(graph.Node("Reshape", [x, graph.Constant(1, width)]), "visual.ln_post");
        Finish(graph.Node("MatMul", [x, Transposed("visual.proj")]), 1, config.Embedding);
    }

    /// <summary>ids [count, length] and ends [count], positions of the EOT tokens in the flattened ids -> features [count, E].</summary>
    internal void Text(ClipConfig config, int count, int length)
    {
        int width = config.Text.Width;
        string ids = graph.Input("ids", true, count, length), ends = graph.Input("ends", true, count);
        string x = graph.Node("Gather", [Weight("token_embedding.weight"), ids]);
        x = graph.Node("Add", [x, graph.Constant(weights.ReadFloat32("positional_embedding").AsSpan(0, length * width), 1, length, width)]);
        for (int i = 0; i < config.Text.Layers; i++)
        {
            x = Block(x, $"transformer.resblocks.{i}.", count, length, config.Text, true);
        }

        x = graph.Node("Gather", [graph.Node("Reshape", [x, graph.Constant(count * length, width)]), ends]);
        Finish(graph.Node("MatMul", [Norm(x, "ln_final"), Transposed("text_projection")]), count, config.Embedding);
    }

    private void Finish(string result, int rows, int columns)
    {
        // Outputs are named by the graph; an identity gives the name that is asked for.
        graph.Output(result, rows, columns);
        Result = result;
    }

    internal string Result { get; private set; } = string.Empty;

    private string Block(string x, string prefix, int batch, int tokens, TowerConfig tower, bool causal)
    {
        string packed = Linear(Norm(x, prefix + "ln_1"), prefix + "attn.in_proj_weight", prefix + "attn.in_proj_bias");
        string attended = Attention(graph, packed, batch, tokens, tower.Width, tower.Heads, causal);
        x = graph.Node("Add", [x, Linear(attended, prefix + "attn.out_proj.weight", prefix + "attn.out_proj.bias")]);
        string hidden = Linear(Norm(x, prefix + "ln_2"), prefix + "mlp.c_fc.weight", prefix + "mlp.c_fc.bias");
        string gate = graph.Node("Sigmoid", [graph.Node("Mul", [hidden, graph.Constant([1.702f], 1)])]);
        string activated = graph.Node("Mul", [hidden, gate]);
        return graph.Node("Add", [x, Linear(activated, prefix + "mlp.c_proj.weight", prefix + "mlp.c_proj.bias")]);
    }

    /// <summary>Packed projection [batch, tokens, 3 width] -> [batch, tokens, width].</summary>
    internal static string Attention(OnnxGraph graph, string packed, int batch, int tokens, int width, int heads, bool causal)
    {
        string[] qkv = graph.Nodes("Split", [packed, graph.Constant(width, width, width)], 3, string.Empty, ("axis", 2));
        if (Environment.GetEnvironmentVariable("LDVC_ONNX_PLAIN") != "1")
        {
            return graph.Nodes("MultiHeadAttention", qkv, 1, "com.microsoft", ("num_heads", heads), ("unidirectional", causal ? 1 : 0))[0];
        }

        string split = graph.Constant(batch, tokens, heads, width / heads);
        string[] parts = [.. qkv.Select((part, i) =>
            graph.Node("Transpose", [graph.Node("Reshape", [part, split])], ("perm", i == 1 ? new[] { 0, 2, 3, 1 } : new[] { 0, 2, 1, 3 })))];
        string scores = graph.Node("Mul", [graph.Node("MatMul", [parts[0], parts[1]]), graph.Constant([1 / MathF.Sqrt(width / heads)], 1)]);
        if (causal)
        {
            var mask = new float[tokens * tokens];
            for (int i = 0; i < mask.Length; i++)
            {
                mask[i] = i % tokens > i / tokens ? float.NegativeInfinity : 0;
            }

            scores = graph.Node("Add", [scores, graph.Constant(mask, 1, 1, tokens, tokens)]);
        }

        string mixed = graph.Node("MatMul", [graph.Node("Softmax", [scores], ("axis", -1)), parts[2]]);
        return graph.Node("Reshape", [graph.Node("Transpose", [mixed], ("perm", new[] { 0, 2, 1, 3 })), graph.Constant(batch, tokens, width)]);
    }

    private string Norm(string x, string name) =>
        graph.Node("LayerNormalization", [x, Weight(name + ".weight"), Weight(name + ".bias")], ("axis", -1), ("epsilon", 1e-5f));

    private string Linear(string x, string weight, string bias) => graph.Node("Add", [graph.Node("MatMul", [x, Transposed(weight)]), Weight(bias)]);

    private string Weight(string name) => graph.Constant(weights.ReadFloat32(name), [.. weights.Entry(name).Shape.Select(s => (int)s)]);

    private string Transposed(string name)
    {
        int rows = (int)weights.Entry(name).Shape[0], columns = (int)weights.Entry(name).Shape[1];
        return graph.Constant(Transpose(weights.ReadFloat32(name), rows, columns), columns, rows);
    }

    /// <summary>[rows, columns] -> [columns, rows].</summary>
    internal static float[] Transpose(float[] values, int rows, int columns)
    {
        var result = new float[values.Length];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                result[(j * rows) + i] = values[(i * columns) + j];
            }
        }

        return result;
    }
}
