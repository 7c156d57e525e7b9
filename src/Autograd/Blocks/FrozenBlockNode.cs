using Ldvc.Kernels.Devices;
using Ldvc.Kernels.MatMul;
using Ldvc.Kernels.Normalization;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Blocks;

/// <summary>The backward of a <see cref="FrozenBlock"/>.</summary>
internal sealed class FrozenBlockNode : Node
{
    private readonly Variable _x;
    private readonly Variable? _prefixes;
    private readonly int _layer;
    private readonly BlockWeights _weights;
    private readonly BlockSizes _sizes;
    private readonly BlockValues _values;

    internal FrozenBlockNode(Variable output, Variable x, Variable? prefixes, int layer, BlockWeights weights, BlockSizes sizes, BlockValues values)
        : base(output)
    {
        (_x, _prefixes, _layer, _weights, _sizes, _values) = (x, prefixes, layer, weights, sizes, values);
        foreach (var tensor in values.All)
        {
            Own(tensor);
        }
    }

    internal override void Backward(KernelSet kernels, Tensor dy)
    {
        var device = dy.Device;
        int rows = _sizes.Rows, width = _sizes.Width, hidden = _sizes.Hidden;

        // What a product of 16 bits reads next is stored so by what makes it; in fp16 times a scale, up to the next gradient that is float32.
        DType next = _weights.Fc1.Weight.Value.DType, copied = _weights.Out.Weight.Value.DType;
        using var scale = Output.WantsGradientScale ? Output.TakeGradientScale() ?? StoredGradient.Scale(kernels, dy) : null;
        using var middle = device.Empty(new Shape(rows, width));
        using var rounded = copied is DType.BFloat16 or DType.Float16 ? device.Empty(middle.Shape, copied) : null;
        using (Tensor dbefore = device.Empty(new Shape(rows, hidden), next), dnorm = device.Empty(middle.Shape))
        {
            kernels.MatMul.Run(
                Product(rows, dy, _weights.Fc2, dbefore, scale) with { ActivationGradientOf = _values.Before, Activation = _weights.Activation });
            var parts = kernels.MatMul.RunInParts(Product(rows, dbefore, _weights.Fc1, dnorm, scale));
            var gradient = new LayerNormGradient(
                _values.Middle!, _weights.Norm2.Weight.Value, _values.Mean2!, _values.Rstd2!, parts, middle, rows, width);
            kernels.Normalization.LayerNormInputGradient(
                gradient with { Before = dy, Rounded = rounded, RoundedScale = rounded is null ? default : (View)scale });
        }

        using var dpacked = device.Empty(new Shape(_sizes.AllRows, 3 * width), _values.Packed!.DType);
        Attend(kernels, rounded ?? middle, dpacked, scale);
        using var dfirst = device.Empty(new Shape(_sizes.AllRows, width));
        var shares = kernels.MatMul.RunInParts(Product(_sizes.AllRows, dpacked, _weights.In, dfirst, scale));
        kernels.Normalization.LayerNormInputGradient(Last(shares, middle));
        if (_x.RequiresGradient)
        {
            using var dx = middle.Reshape(_x.Shape.ToArray());
            _x.AddGradient(dx);
        }
    }

    // From the gradient after attention's output projection to that of queries, keys and values.
    private void Attend(KernelSet kernels, Tensor after, Tensor dpacked, Tensor? scale)
    {
        var device = after.Device;
        using var dattended = device.Empty(new Shape(_sizes.Rows, _sizes.Width), _values.Attended!.DType);
        using var scratch = device.Empty(_values.LogSumExp!.Shape);
        kernels.MatMul.Run(Product(_sizes.Rows, after, _weights.Out, dattended, scale));
        if (_sizes.Prefix > 0)
        {
            // Nobody asks about the prefix: its queries are nothing's.
            using var queries = dpacked.Slice(0, _sizes.Prefix);
            queries.Clear();
        }

        var (q, k, v) = _sizes.Packed(_values.Packed!.View);
        var (dq, dk, dv) = _sizes.Packed(dpacked.View);
        kernels.Attention.Backward(
            _sizes.Attention, q, k, v, _sizes.Plain(_values.Attended!), _values.LogSumExp!, _sizes.Plain(dattended), dq, dk, dv, scratch);
    }

    private LayerNormGradient Last(GemmParts parts, Tensor middle)
    {
        var gradient = new LayerNormGradient(
            _values.X, _weights.Norm1.Weight.Value, _values.Mean1!, _values.Rstd1!, parts, middle, _sizes.AllRows, _sizes.Width)
        { Before = middle };
        if (_prefixes is null)
        {
            return gradient;
        }

        // A prefix that nobody trains gets its gradient where nobody looks.
        long at = _layer * _sizes.PrefixFloats;
        return gradient with
        {
            First = _values.Prefixes!.View.Shift(at),
            FirstDx = _prefixes.GradientSum().View.Shift(at),
            FirstRows = _sizes.Prefix,
        };
    }

    // dx = dy W.
    private static Gemm Product(int rows, Tensor dy, WeightAndBias weights, Tensor dx, Tensor? scale)
    {
        int outputs = weights.Weight.Shape[0], inputs = weights.Weight.Shape[1];
        return new Gemm(rows, inputs, outputs, dy, weights.Weight.Value, dx) { GradientScale = scale };
    }
}
