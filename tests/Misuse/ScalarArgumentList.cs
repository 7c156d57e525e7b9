using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Cases;
using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Tests.Misuse;

/// <summary>Every number that a public operation takes, one line each. An operation with a number that is not here fails a test.</summary>
internal static class ScalarArgumentList
{
    private const double Most = int.MaxValue, Least = int.MinValue;

    /// <summary>All of them, with the inputs of one of the method's cases.</summary>
    internal static IReadOnlyList<ScalarArgument> All { get; } =
    [
        new("Scale", "factor", (t, v, x) => t.Scale(v[0], (float)x), double.PositiveInfinity, double.NegativeInfinity),
        new("ScaleByExp", "limit", (t, v, x) => t.ScaleByExp(v[0], v[1], (float)x), 0, -1, double.NegativeInfinity),
        new("Dropout", "probability", (t, v, x) => t.Dropout(v[0], (float)x), 1, 2, -1, 1.5, double.PositiveInfinity),
        new("MatMulTransposed", "alpha", (t, v, x) => t.MatMulTransposed(v[0], v[1], (float)x), double.PositiveInfinity, double.NegativeInfinity),
        new("LayerNorm", "epsilon", (t, v, x) => t.LayerNorm(v[0], v[1], v[2], (float)x), -1, double.PositiveInfinity),
        new(
            "LayerNorm",
            "type",
            (t, v, x) => t.LayerNorm(v[0], v[1], v[2], 1e-5f, (DType)(int)x),
            (int)DType.UInt8,
            (int)DType.BFloat16,
            (int)DType.Float16,
            Most,
            -1),
        new("Linear", "activation", (t, v, x) => t.Linear(v[0], v[1], null, (Activation)(int)x), Most, -1),
        new(
            "Linear",
            "type",
            (t, v, x) => t.Linear(v[0], v[1], null, type: (DType)(int)x),
            (int)DType.Int32,
            (int)DType.BFloat16,
            (int)DType.Float16,
            Most,
            -1),
        new("LogMeanExpTokens", "sharpness", (t, v, x) => t.LogMeanExpTokens(v[0], (float)x), 0, -1, double.PositiveInfinity),
        new("SliceTokens", "start", (t, v, x) => t.SliceTokens(v[0], (int)x, 1), Most, Least, -1),
        new("SliceTokens", "count", (t, v, x) => t.SliceTokens(v[0], 0, (int)x), Most, Least, -1),
        new("Splice", "start", (t, v, x) => t.Splice(v[0], v[1], (int)x, 1), Most, Least, -1),
        new("Splice", "dropped", (t, v, x) => t.Splice(v[0], v[1], 1, (int)x), Most, Least, -1),
        new("Row", "index", (t, v, x) => t.Row(v[0], (int)x), Most, Least, -1),
        new("Reshape", "sizes", (t, v, x) => t.Reshape(v[0], (int)x, (int)x), Most, Least, -1),
        new("Gather", "indices", (t, v, x) => t.Gather(v[0], [(int)x], 1), Most, Least, -1),
        new("Gather", "outer", (t, v, x) => t.Gather(v[0], [0], (int)x, (int)x), Most, Least, -1),
        new("CrossEntropy", "targets", (t, v, x) => t.CrossEntropy(v[0], [.. Enumerable.Repeat((int)x, v[0].Shape[0])]), Most, Least, -1, 1000),
        new("SelfAttention", "heads", (t, v, x) => t.SelfAttention(v[0], (int)x, false), 0, Most, Least, -1),
        new("Attention", "heads", (t, v, x) => t.Attention(v[0], v[1], v[2], (int)x, 0), 0, Most, Least, -1),
        new("Attention", "dropout", (t, v, x) => t.Attention(v[0], v[1], v[2], 1, (float)x), 1, 2, -1, double.PositiveInfinity),
        new("RouteAttention", "heads", (t, v, x) => Route(t, v, heads: (int)x), 0, Most, Least, -1),
        new("RouteAttention", "gridHeight", (t, v, x) => t.RouteAttention(v[0], v[1], v[2], 1, (int)x, 1, 1, 1), 0, Most, Least, -1),
        new("RouteAttention", "gridWidth", (t, v, x) => t.RouteAttention(v[0], v[1], v[2], 1, 1, (int)x, 1, 1), 0, Most, Least, -1),
        new("RouteAttention", "s", (t, v, x) => Route(t, v, s: (int)x), 0, Most, Least, -1),
        new("RouteAttention", "topK", (t, v, x) => Route(t, v, topK: (int)x), 0, Least, -1),
        new("MaskLoss", "focalWeight", (t, v, x) => Loss(t, v, focal: (float)x), double.PositiveInfinity),
        new("MaskLoss", "diceWeight", (t, v, x) => Loss(t, v, dice: (float)x), double.PositiveInfinity),
        new("MaskLoss", "alpha", (t, v, x) => Loss(t, v, alpha: (float)x), double.PositiveInfinity),
        new("Add", "value", (t, v, x) => t.Add(v[0], (float)x)),
        new("Subtract", "value", (t, v, x) => t.Subtract(v[0], (float)x)),
        new("Subtract", "value", (t, v, x) => t.Subtract((float)x, v[0])),
        new("Multiply", "value", (t, v, x) => t.Multiply(v[0], (float)x), double.PositiveInfinity),
        new("Divide", "value", (t, v, x) => t.Divide(v[0], (float)x)),
        new("Divide", "value", (t, v, x) => t.Divide((float)x, v[0])),
        new("Greater", "value", (t, v, x) => t.Greater(v[0], (float)x)),
        new("GreaterOrEqual", "value", (t, v, x) => t.GreaterOrEqual(v[0], (float)x)),
        new("Less", "value", (t, v, x) => t.Less(v[0], (float)x)),
        new("LessOrEqual", "value", (t, v, x) => t.LessOrEqual(v[0], (float)x)),
        new("Equal", "value", (t, v, x) => t.Equal(v[0], (float)x)),
        new("NotEqual", "value", (t, v, x) => t.NotEqual(v[0], (float)x)),
        new("Concat", "axis", (t, v, x) => t.Concat([v[0], v[1]], (int)x), Most, Least),
        new("IndexSelect", "axis", (t, v, x) => t.IndexSelect(v[0], (int)x, [0]), Most, Least),
        new("IndexSelect", "indices", (t, v, x) => t.IndexSelect(v[0], 0, [(int)x]), Most, Least, -1),
        new("Embedding", "ids", (t, v, x) => t.Embedding(v[0], [(int)x], 1), Most, Least, -1),
        new("Embedding", "shape", (t, v, x) => t.Embedding(v[0], [0], (int)x, (int)x), Most, Least, -1),
        new("Permute", "axes", (t, v, x) => t.Permute(v[0], [.. Enumerable.Repeat((int)x, v[0].Shape.Rank)]), Most, Least),
        new("Slice", "axis", (t, v, x) => t.Slice(v[0], (int)x, 0, 1), Most, Least),
        new("Slice", "start", (t, v, x) => t.Slice(v[0], 0, (int)x, 1), Most, Least, -1),
        new("Slice", "count", (t, v, x) => t.Slice(v[0], 0, 0, (int)x), Most, Least, -1),
        new("Softmax", "axis", (t, v, x) => t.Softmax(v[0], (int)x), Most, Least),
        new("LogSoftmax", "axis", (t, v, x) => t.LogSoftmax(v[0], (int)x), Most, Least),
        new("Sum", "axis", (t, v, x) => t.Sum(v[0], (int)x), Most, Least),
        new("Sum", "axes", (t, v, x) => t.Sum(v[0], [0, (int)x]), Most, Least, 0),
        new("Mean", "axis", (t, v, x) => t.Mean(v[0], (int)x), Most, Least),
        new("Mean", "axes", (t, v, x) => t.Mean(v[0], [0, (int)x]), Most, Least, 0),
        new("Max", "axis", (t, v, x) => t.Max(v[0], (int)x), Most, Least),
        new("Max", "axes", (t, v, x) => t.Max(v[0], [0, (int)x]), Most, Least, 0),
        new("CrossEntropy", "ignored", (t, v, x) => t.CrossEntropy(v[0], [.. Enumerable.Repeat(v[0].Shape[-1] - 1, v[0].Shape[0])], (int)x)),
        new("MaskLoss", "labels", (t, v, x) => Loss(t, v, label: (byte)Math.Clamp(x, 0, 200)), 200, Most),
    ];

    /// <summary>The case whose inputs the calls get: not the one where every size is 1.</summary>
    internal static OpCase Case(string method)
    {
        OpCase[] cases = [.. OpCaseList.Checked.Where(c => c.Method == method)];
        return cases.FirstOrDefault(c => c.Inputs[0].Count > 1) ?? cases[0];
    }

    private static Variable Route(Tape tape, Variable[] v, int heads = 1, int s = 1, int topK = 1) =>
        tape.RouteAttention(v[0], v[1], v[2], heads, v[0].Shape[1], 1, s, topK);

    private static Variable Loss(Tape tape, Variable[] v, float focal = 1, float dice = 1, float alpha = 0.25f, byte label = 0)
    {
        using var labels = tape.Device.FromHost([.. Enumerable.Repeat(label, v[0].Shape[0] * 12)], new Shape(v[0].Shape[0], 3, 4));
        var loss = tape.MaskLoss(v[0], labels, focal, dice, alpha, out var parts);
        parts.Dispose();
        return loss;
    }
}
