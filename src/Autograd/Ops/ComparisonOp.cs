using Ldvc.Kernels.Elementwise.Functions;

namespace Ldvc.Autograd.Ops;

/// <summary>
/// Masks: comparisons of two values, with NumPy's broadcasting. A mask is a float32 value of ones and zeros, for <see cref="WhereOp.Where"/>, for
/// products and for counting by sums. No gradient flows through it.
/// </summary>
public static class ComparisonOp
{
    /// <summary>1 where a is above b, 0 elsewhere and where either is NaN.</summary>
    public static Variable Greater(this Tape tape, Variable a, Variable b) => Apply<Greater>(tape, "greater", a, b);

    /// <summary>1 where x is above value, 0 elsewhere and where either is NaN.</summary>
    public static Variable Greater(this Tape tape, Variable x, float value) => tape.Greater(x, Broadcasting.Scalar(tape, value));

    /// <summary>1 where a is above or equals b, 0 elsewhere and where either is NaN.</summary>
    public static Variable GreaterOrEqual(this Tape tape, Variable a, Variable b) => Apply<GreaterOrEqual>(tape, "greater_or_equal", a, b);

    /// <summary>1 where x is above or equals value, 0 elsewhere and where either is NaN.</summary>
    public static Variable GreaterOrEqual(this Tape tape, Variable x, float value) => tape.GreaterOrEqual(x, Broadcasting.Scalar(tape, value));

    /// <summary>1 where a is below b, 0 elsewhere and where either is NaN.</summary>
    public static Variable Less(this Tape tape, Variable a, Variable b) => Apply<Greater>(tape, "less", b, a);

    /// <summary>1 where x is below value, 0 elsewhere and where either is NaN.</summary>
    public static Variable Less(this Tape tape, Variable x, float value) => tape.Less(x, Broadcasting.Scalar(tape, value));

    /// <summary>1 where a is below or equals b, 0 elsewhere and where either is NaN.</summary>
    public static Variable LessOrEqual(this Tape tape, Variable a, Variable b) => Apply<GreaterOrEqual>(tape, "less_or_equal", b, a);

    /// <summary>1 where x is below or equals value, 0 elsewhere and where either is NaN.</summary>
    public static Variable LessOrEqual(this Tape tape, Variable x, float value) => tape.LessOrEqual(x, Broadcasting.Scalar(tape, value));

    /// <summary>1 where a equals b, 0 elsewhere and where either is NaN.</summary>
    public static Variable Equal(this Tape tape, Variable a, Variable b) => Apply<Equal>(tape, "equal", a, b);

    /// <summary>1 where x equals value, 0 elsewhere and where either is NaN.</summary>
    public static Variable Equal(this Tape tape, Variable x, float value) => tape.Equal(x, Broadcasting.Scalar(tape, value));

    /// <summary>0 where a equals b, 1 elsewhere and where either is NaN.</summary>
    public static Variable NotEqual(this Tape tape, Variable a, Variable b) => Apply<NotEqual>(tape, "not_equal", a, b);

    /// <summary>0 where x equals value, 1 elsewhere and where either is NaN.</summary>
    public static Variable NotEqual(this Tape tape, Variable x, float value) => tape.NotEqual(x, Broadcasting.Scalar(tape, value));

    private static Variable Apply<TFunction>(Tape tape, string op, Variable a, Variable b)
        where TFunction : struct, IBinaryFunction => tape.Constant(Broadcasting.Apply<TFunction>(tape, op, a, b));
}
