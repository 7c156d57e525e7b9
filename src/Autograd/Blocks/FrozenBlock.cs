using Ldvc.Kernels.Attention;
using Ldvc.Kernels.Devices;
using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Blocks;

/// <summary>
/// A transformer block whose weights are frozen, as one operation, for devices on which starting a kernel is dear: no gradient but the input's is
/// wanted, so the backward is ten kernels, with what the single operations' backward cannot join. The activation's derivative is the epilogue of
/// fc2's product. The parts of a product that was cut are added up by the normalisation that reads them. What the next product reads is written in
/// its precision by the kernel that makes it. The values are those of the single operations; what is rounded between two of them is rounded at the
/// same places.
/// </summary>
internal static class FrozenBlock
{
    private const string Name = "frozen block";

    /// <summary>Whether a block runs as one operation.</summary>
    internal static bool Takes(Tape tape, BlockWeights weights) => tape.Device.StartsAreDear && weights.Frozen;

    /// <summary>x [B, T, D] -> the same shape.</summary>
    internal static Variable Run(Tape tape, Variable x, BlockWeights weights)
    {
        var shape = Guard.Floats(tape, Name, x, 3, "[B, T, D]");
        return Run(tape, x, null, 0, weights, new BlockSizes(shape[0], shape[1], 0, weights));
    }

    /// <summary>
    /// x [B, T, D], sequences that come after tokens which all of them begin with: prefixes[layer] of [L, P, D]. What causal attention makes of these
    /// depends on nothing after them, so their keys and values are computed once, and their outputs not at all.
    /// </summary>
    internal static Variable Run(Tape tape, Variable x, Variable prefixes, int layer, BlockWeights weights)
    {
        var shape = Guard.Floats(tape, Name, x, 3, "[B, T, D]");
        var shared = Guard.Floats(tape, Name, prefixes, 3, "[L, P, D]");
        Guard.Size(Name, shared, 2, shape[2], "the width of x", nameof(prefixes));
        Guard.Between(Name, layer, 0, shared[0] - 1, shared);
        return Run(tape, x, prefixes, layer, weights, new BlockSizes(shape[0], shape[1], shared[1], weights));
    }

    private static Variable Run(Tape tape, Variable x, Variable? prefixes, int layer, BlockWeights weights, BlockSizes sizes)
    {
        var shape = x.Shape;
        Guard.NotEmpty(Name, shape, 0, nameof(x));
        Guard.NotEmpty(Name, shape, 1, nameof(x));
        Guard.Size(Name, shape, 2, weights.Width, "the width of the block", nameof(x));
        var device = tape.Device;
        var kernels = tape.Kernels;
        int rows = sizes.Rows, width = sizes.Width, all = sizes.AllRows;

        // Tokens that sequences share are read by kernels of float32.
        DType inner = prefixes is null ? weights.Out.Weight.Value.DType : DType.Float32, normalized = weights.In.Weight.Value.DType;
        var saved = new BlockValues(x.Value.Share(), prefixes?.Value.Share());
        Tensor? hidden = null, output = null;
        try
        {
            saved.Mean1 = device.Empty(new Shape(all));
            saved.Rstd1 = device.Empty(new Shape(all));
            saved.Packed = Guard.Result(tape, Name, new Shape(all, 3 * width), inner);
            using (var norm = Guard.Result(tape, Name, new Shape(all, width), normalized))
            {
                View first = prefixes is null ? default : prefixes.Value.View.Shift(layer * sizes.PrefixFloats);
                kernels.Normalization.LayerNormAfter(
                    first,
                    sizes.Prefix,
                    x.Value,
                    weights.Norm1.Weight.Value,
                    weights.Norm1.Bias.Value,
                    norm,
                    saved.Mean1,
                    saved.Rstd1,
                    all,
                    width,
                    weights.Epsilon);
                kernels.MatMul.Run(Product(all, norm, weights.In, saved.Packed));
            }

            saved.Attended = device.Empty(new Shape(rows, width), inner);
            saved.LogSumExp = device.Empty(new Shape(sizes.Attention.Batch, weights.Heads, sizes.Attention.Queries));
            var (q, k, v) = sizes.Packed(saved.Packed.View);
            kernels.Attention.Forward(sizes.Attention, q, k, v, sizes.Plain(saved.Attended), saved.LogSumExp);
            saved.Middle = device.Empty(new Shape(rows, width));
            kernels.MatMul.Run(Product(rows, saved.Attended, weights.Out, saved.Middle) with { Residual = x.Value });
            saved.Mean2 = device.Empty(new Shape(rows));
            saved.Rstd2 = device.Empty(new Shape(rows));
            var stored = weights.Fc2.Weight.Value.DType;
            hidden = Guard.Result(tape, Name, new Shape(rows, sizes.Hidden), stored);
            bool recorded = tape.Recording && (x.RequiresGradient || prefixes is { RequiresGradient: true });
            saved.Before = recorded ? device.Empty(hidden.Shape, stored) : null;
            using (var norm = device.Empty(new Shape(rows, width), weights.Fc1.Weight.Value.DType))
            {
                kernels.Normalization.LayerNorm(
                    saved.Middle, weights.Norm2.Weight.Value, weights.Norm2.Bias.Value, norm, saved.Mean2, saved.Rstd2, rows, width, weights.Epsilon);
                kernels.MatMul.Run(Product(rows, norm, weights.Fc1, hidden) with { Activation = weights.Activation, PreActivation = saved.Before });
            }

            output = device.Empty(shape);
            kernels.MatMul.Run(Product(rows, hidden, weights.Fc2, output) with { Residual = saved.Middle });
            var result = tape.Result(output, x, prefixes, "frozen_block");
            output = null;
            if (result.RequiresGradient)
            {
                result.WantsGradientScale = weights.WantGradientScale;
                tape.Record(new FrozenBlockNode(result, x, prefixes, layer, weights, sizes, saved));
                saved = null;
            }

            return result;
        }
        finally
        {
            hidden?.Dispose();
            output?.Dispose();
            saved?.Dispose();
        }
    }

    // y = x W^T + b.
    private static Gemm Product(int rows, Tensor x, WeightAndBias weights, Tensor y)
    {
        int outputs = weights.Weight.Shape[0], inputs = weights.Weight.Shape[1];
        return new Gemm(rows, outputs, inputs, x, weights.Weight.Value, y) { TransposeB = true, Ldb = inputs, Bias = weights.Bias.Value };
    }
}
