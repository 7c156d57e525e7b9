using Ldvc.Kernels;
using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>
/// Several linear maps of one input, results side by side: queries, keys and values. Where the weights lie one after the other, it is one product.
/// </summary>
internal static class JoinedLinearOp
{
    private const string Name = "joined_linear";

    /// <summary>x [..., K], weights [N_i, K], biases [N_i] -> [..., sum of N_i].</summary>
    /// <param name="tape">The tape.</param>
    /// <param name="x">The input.</param>
    /// <param name="weights">A matrix a map.</param>
    /// <param name="biases">A bias a map.</param>
    /// <param name="decidesRoutes">Whether windows are chosen by the result.</param>
    internal static Variable JoinedLinear(
        this Tape tape, Variable x, ReadOnlySpan<Variable> weights, ReadOnlySpan<Variable> biases, bool decidesRoutes = false)
    {
        var input = Guard.Floats(tape, Name, x);
        int rows = Guard.Rows(Name, input, nameof(x)), k = input[-1], columns = 0;
        if (weights.Length == 0 || weights.Length != biases.Length)
        {
            throw new ArgumentException(
                $"{Name}: expected a bias for each of at least 1 weight, got {biases.Length} for {weights.Length} (x {input})");
        }

        for (int i = 0; i < weights.Length; i++)
        {
            var weight = Guard.Floats(tape, Name, weights[i], 2, "[N, K]", nameof(weights));
            Guard.Size(Name, weight, 1, k, "the width of x", nameof(weights));
            Guard.Size(Name, Guard.Floats(tape, Name, biases[i], 1, "[N]", nameof(biases)), 0, weight[0], "the rows of its weight", nameof(biases));
            columns = Guard.Sum(Name, columns, weight[0]);
        }

        var maps = new Maps(weights.ToArray(), biases.ToArray());
        var y = Guard.Result(tape, Name, input.WithLast(columns));
        foreach (var (weight, bias, at, outputs) in maps.Products)
        {
            tape.Kernels.MatMul.Run(new Gemm(rows, outputs, k, x.Value, weight, y.View.Shift(at))
            {
                TransposeB = true,
                Ldb = k,
                Ldc = columns,
                Bias = bias,
                DecidesRoutes = decidesRoutes,
            });
        }

        var result = tape.Result(y, [x, .. weights, .. biases], Name);
        if (result.RequiresGradient)
        {
            tape.Record(new JoinedLinearNode(result, x, maps, rows, columns, k));
        }

        return result;
    }

    /// <summary>The maps, and the products that they are: one where weights and biases lie one after the other.</summary>
    private sealed class Maps
    {
        private readonly List<(View Weight, View Bias, int At, int Outputs)> _products = [];

        internal Maps(Variable[] weights, Variable[] biases)
        {
            (Weights, Biases) = (weights, biases);
            if (Follow(weights) && Follow(biases))
            {
                _products.Add((weights[0].Value, biases[0].Value, 0, weights.Sum(w => w.Shape[0])));
                return;
            }

            for (int i = 0, at = 0; i < weights.Length; at += weights[i++].Shape[0])
            {
                _products.Add((weights[i].Value, biases[i].Value, at, weights[i].Shape[0]));
            }
        }

        internal Variable[] Weights { get; }

        internal Variable[] Biases { get; }

        internal IReadOnlyList<(View Weight, View Bias, int At, int Outputs)> Products => _products;

        private static bool Follow(Variable[] variables)
        {
            for (int i = 1; i < variables.Length; i++)
            {
                Tensor before = variables[i - 1].Value, after = variables[i].Value;
                if (before.Storage != after.Storage || after.Offset != before.Offset + before.Count)
                {
                    return false;
                }
            }

            return true;
        }
    }

    private sealed class JoinedLinearNode : Node
    {
        private readonly Variable _x;
        private readonly Maps _maps;
        private readonly Tensor _savedX;
        private readonly int _rows;
        private readonly int _columns;
        private readonly int _k;

        internal JoinedLinearNode(Variable output, Variable x, Maps maps, int rows, int columns, int k)
            : base(output)
        {
            (_x, _maps, _rows, _columns, _k) = (x, maps, rows, columns, k);
            _savedX = Save(x.Value);
            foreach (var weight in maps.Weights)
            {
                // A parameter outlives the tape; any other weight's memory may be given back before the backward, which reads it through a view.
                if (weight is Parameter parameter)
                {
                    Reads(parameter);
                }
                else
                {
                    Save(weight.Value);
                }
            }
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var device = dy.Device;
            if (_x.RequiresGradient)
            {
                var dx = _x.GradientTarget(out bool accumulate);
                foreach (var (weight, _, at, outputs) in _maps.Products)
                {
                    kernels.MatMul.Run(new Gemm(_rows, _k, outputs, dy.View.Shift(at), weight, dx) { Lda = _columns, Accumulate = accumulate });
                    accumulate = true;
                }
            }

            if (_maps.Weights.Any(weight => weight.RequiresGradient))
            {
                using var dw = device.Empty(new Shape(_columns, _k));
                kernels.MatMul.Run(new Gemm(_columns, _k, _rows, dy, _savedX, dw) { TransposeA = true, Lda = _columns });
                Share(_maps.Weights, dw);
            }

            if (_maps.Biases.Any(bias => bias.RequiresGradient))
            {
                using var db = device.Zeros(new Shape(_columns));
                kernels.Elementwise.ColumnSums(dy, db, _rows, _columns);
                Share(_maps.Biases, db);
            }
        }

        private static void Share(Variable[] variables, Tensor gradient)
        {
            int at = 0;
            foreach (var variable in variables)
            {
                int rows = variable.Shape[0];
                if (variable.RequiresGradient)
                {
                    using var part = gradient.Slice(at, rows);
                    variable.AddGradient(part);
                }

                at += rows;
            }
        }
    }
}
