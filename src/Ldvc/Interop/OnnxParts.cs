using Ldvc.Autograd;
using Ldvc.Kernels;

namespace Ldvc.Interop;

/// <summary>
/// What the towers and the decoder of an exported model are made of. Batch and number of classes are free, so shapes say 0 (as it is) and -1 (the
/// rest).
/// </summary>
internal sealed class OnnxParts(OnnxGraph graph, IReadOnlyDictionary<string, Parameter> weights)
{
    private const float SmallestNorm = 1e-12f;

    internal OnnxGraph Graph => graph;

    internal int[] Shape(string name) => weights[name].Shape.ToArray();

    internal float[] Values(string name) => weights[name].Value.ToArray();

    internal bool Has(string name) => weights.ContainsKey(name);

    internal string Weight(string name) => graph.Constant(name, () => Values(name), Shape(name));

    /// <summary>A matrix [outputs, inputs] as [inputs, outputs]; of its columns those from `first` on.</summary>
    internal string Transposed(string name, int first = 0, int? count = null)
    {
        int rows = Shape(name)[0], columns = Shape(name)[1], taken = count ?? columns;
        string suffix = taken == columns ? ".transposed" : $".transposed.{first}";
        return graph.Constant(name + suffix, () => Transpose(Values(name), rows, columns, first, taken), taken, rows);
    }

    internal string Linear(string x, string weight, string? bias)
    {
        string product = graph.Node("MatMul", [x, Transposed(weight)]);
        return bias is null ? product : Add(product, Weight(bias));
    }

    /// <summary>A linear layer of the name.</summary>
    internal string Linear(string x, string name) => Linear(x, name + ".weight", name + ".bias");

    internal string Norm(string x, string name, float epsilon) =>
        graph.Node("LayerNormalization", [x, Weight(name + ".weight"), Weight(name + ".bias")], ("axis", -1), ("epsilon", epsilon));

    internal string Add(string a, string b) => graph.Node("Add", [a, b]);

    internal string Scale(string x, float factor) => graph.Node("Mul", [x, graph.Constant([factor], 1)]);

    internal string Reshape(string x, params long[] shape) => graph.Node("Reshape", [x, graph.Constant(shape)]);

    internal string Transpose(string x, params int[] order) => graph.Node("Transpose", [x], ("perm", order));

    internal string Concat(int axis, params string[] parts) => graph.Node("Concat", parts, ("axis", axis));

    /// <summary>Tokens from `start` to before `end` of [B, T, D].</summary>
    internal string Tokens(string x, long start, long end) => graph.Node("Slice", [x, graph.Constant(start), graph.Constant(end), graph.Constant(1)]);

    /// <summary>Rows of unit length.</summary>
    internal string Unit(string x)
    {
        string length = graph.Node("ReduceL2", [x], ("axes", new[] { -1 }), ("keepdims", 1));
        return graph.Node("Div", [x, graph.Node("Max", [length, graph.Constant([SmallestNorm], 1)])]);
    }

    internal string Activate(string x, Activation activation)
    {
        switch (activation)
        {
            case Activation.QuickGelu:
                return graph.Node("Mul", [x, graph.Node("Sigmoid", [Scale(x, 1.702f)])]);
            case Activation.Gelu:
                string normal = Add(graph.Node("Erf", [Scale(x, MathF.Sqrt(0.5f))]), graph.Constant([1f], 1));
                return graph.Node("Mul", [Scale(x, 0.5f), normal]);
            case Activation.Relu:
                return graph.Node("Relu", [x]);
            default:
                return x;
        }
    }

    /// <summary>Multi-head attention: q [B, Tq, D], k and v [B, Tk, D] -> [B, Tq, D].</summary>
    /// <param name="q">Queries.</param>
    /// <param name="k">Keys.</param>
    /// <param name="v">Values.</param>
    /// <param name="heads">Number of heads.</param>
    /// <param name="width">D.</param>
    /// <param name="bias">Added to the scores [B, heads, Tq, Tk]; null = nothing.</param>
    internal string Attention(string q, string k, string v, int heads, int width, string? bias = null)
    {
        int each = width / heads;
        string Split(string x, params int[] order) => Transpose(Reshape(x, 0, -1, heads, each), order);
        string scores = graph.Node("MatMul", [Split(Scale(q, 1 / MathF.Sqrt(each)), 0, 2, 1, 3), Split(k, 0, 2, 3, 1)]);
        scores = bias is null ? scores : Add(scores, bias);
        string mixed = graph.Node("MatMul", [graph.Node("Softmax", [scores], ("axis", -1)), Split(v, 0, 2, 1, 3)]);
        return Reshape(Transpose(mixed, 0, 2, 1, 3), 0, -1, width);
    }

    private static float[] Transpose(float[] values, int rows, int columns, int first, int count)
    {
        var result = new float[rows * count];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < count; j++)
            {
                result[(j * rows) + i] = values[(i * columns) + first + j];
            }
        }

        return result;
    }
}
