using Ldvc.Kernels;
using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>y = activation(x W^T + b) + residual, the workhorse.</summary>
public static class LinearOp
{
    private const string Name = "linear";

    /// <summary>
    /// x [..., K], weight [N, K], bias [N] or null, residual [..., N] or null -> [..., N] of the given element type, as is what is kept from before
    /// the activation. x and weight may be bf16 or fp16 on a GPU with tensor cores.
    /// </summary>
    public static Variable Linear(
        this Tape tape,
        Variable x,
        Variable weight,
        Variable? bias,
        Activation activation = Activation.None,
        Variable? residual = null,
        DType type = DType.Float32)
    {
        Shape input = Guard.Stored(tape, Name, x), matrix = Guard.Weight(tape, Name, weight);
        int rows = Guard.Rows(Name, input, nameof(x)), k = input[-1], n = matrix[0];
        if (matrix[1] != k)
        {
            throw new ArgumentException($"{Name}: x {input} does not fit weight {matrix}, expected weight [N, {k}]");
        }

        if (bias is not null)
        {
            Guard.Size(Name, Guard.Floats(tape, Name, bias, 1, "[N]"), 0, n, "the rows of the weight", nameof(bias));
        }

        if (residual is not null
            && (Guard.Floats(tape, Name, residual).Count != (long)rows * n || residual.Shape.Rank == 0 || residual.Shape[-1] != n))
        {
            throw new ArgumentException($"{Name}: x {input} and weight {matrix} do not fit residual {residual.Shape}, expected {input.WithLast(n)}");
        }

        Guard.ResultType(tape, Name, type, input);
        Guard.Defined(Name, activation, input);
        var y = Guard.Result(tape, Name, input.WithLast(n), type);
        bool needed = x.RequiresGradient || weight.RequiresGradient || bias is { RequiresGradient: true } || residual is { RequiresGradient: true };
        Tensor? before = activation != Activation.None && tape.Recording && needed ? tape.Rent(new Shape(rows, n), type) : null;
        bool packed = weight is Parameter parameter && parameter.KeepPacked();
        if (!packed && (weight is not Parameter || weight.Value.InPanels))
        {
            weight.Value.StayInRows();
        }

        tape.Kernels.MatMul.Run(new Gemm(rows, n, k, x.Value, packed ? weight.Value.Raw : weight.Value, y)
        {
            TransposeB = true,
            KeptPanels = packed,
            Ldb = k,
            Bias = bias?.Value,
            Activation = activation,
            PreActivation = before,
            Residual = residual?.Value,
        });
        var result = tape.Result(y, x, weight, bias, residual);
        if (result.RequiresGradient)
        {
            tape.Record(new LinearNode(result, x, weight, bias, residual, activation, before));
        }

        return result;
    }

    private sealed class LinearNode : Node
    {
        private readonly Variable _x;
        private readonly Variable _weight;
        private readonly Variable? _bias;
        private readonly Variable? _residual;
        private readonly Activation _activation;
        private readonly Tensor? _before;
        private readonly Tensor? _savedX;
        private readonly Tensor? _savedWeight;
        private readonly DType _weightType;
        private readonly int _rows;
        private readonly int _n;
        private readonly int _k;

        internal LinearNode(Variable output, Variable x, Variable weight, Variable? bias, Variable? residual, Activation activation, Tensor? before)
            : base(output)
        {
            (_x, _weight, _bias, _residual, _activation) = (x, weight, bias, residual, activation);
            _n = weight.Shape[0];
            _k = weight.Shape[1];
            _weightType = weight.Value.DType;
            _rows = (int)(x.Value.Count / _k);
            _before = before is null ? null : Own(before);

            // The input is needed for the weight's gradient alone: under a frozen weight it is not kept.
            _savedX = weight.RequiresGradient ? Save(x.Value) : null;

            // A parameter outlives the tape; any other weight may be freed before the backward.
            if (x.RequiresGradient && weight is Parameter parameter)
            {
                Reads(parameter);
            }
            else
            {
                _savedWeight = x.RequiresGradient ? Save(weight.Value) : null;
            }
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            if (_residual is { RequiresGradient: true })
            {
                _residual.AddGradient(dy);
            }

            // The values before the activation are needed here for the last time: the gradient there takes their place.
            // In 16 bits there is no room for it.
            using Tensor? inner = _before is null ? null : _before.DType == DType.Float32 ? _before.Share() : dy.Device.Empty(dy.Shape);
            if (inner is not null)
            {
                kernels.Elementwise.ActivateBackward(_before, dy, inner, _activation, false, dy.Count);
                dy = inner;
            }

            using var scale = StoredGradient.WantsScale(_weightType, _savedX?.DType) ? StoredGradient.Scale(kernels, dy) : null;
            if (_x.RequiresGradient)
            {
                var dx = _x.GradientTarget(out bool accumulate);
                var weight = _savedWeight ?? _weight.Value;
                kernels.MatMul.Run(new Gemm(_rows, _k, _n, dy, weight.Raw, dx) { KeptPanels = true, Accumulate = accumulate, GradientScale = scale });
            }

            if (_savedX is not null)
            {
                var dw = _weight.GradientTarget(out bool accumulate);
                kernels.MatMul.Run(
                    new Gemm(_n, _k, _rows, dy, _savedX, dw) { TransposeA = true, Lda = _n, Accumulate = accumulate, GradientScale = scale });
            }

            if (_bias is { RequiresGradient: true })
            {
                kernels.Elementwise.ColumnSums(dy, _bias.GradientSum(), _rows, _n);
            }
        }
    }
}
