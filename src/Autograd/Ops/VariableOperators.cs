namespace Ldvc.Autograd.Ops;

/// <summary>
/// Arithmetic on variables with the usual signs, element by element and with broadcasting, also with a number on either side: <c>2 * x + bias</c> is
/// <c>tape.Add(tape.Scale(x, 2), bias)</c>. An expression runs on the tape of its operands. Parameters belong to no tape, so an expression of
/// parameters alone needs the tape's methods for its first step.
/// </summary>
public static class VariableOperators
{
    extension(Variable)
    {
        /// <summary>a + b.</summary>
        /// <exception cref="InvalidOperationException">Both are parameters.</exception>
        public static Variable operator +(Variable a, Variable b) => TapeOf(a, b, "+", nameof(AddOp.Add)).Add(a, b);

        /// <summary>x + value.</summary>
        /// <exception cref="InvalidOperationException">x is a parameter.</exception>
        public static Variable operator +(Variable x, float value) => TapeOf(x, "+", nameof(AddOp.Add)).Add(x, value);

        /// <summary>value + x.</summary>
        /// <exception cref="InvalidOperationException">x is a parameter.</exception>
        public static Variable operator +(float value, Variable x) => TapeOf(x, "+", nameof(AddOp.Add)).Add(x, value);

        /// <summary>a - b.</summary>
        /// <exception cref="InvalidOperationException">Both are parameters.</exception>
        public static Variable operator -(Variable a, Variable b) => TapeOf(a, b, "-", nameof(SubtractOp.Subtract)).Subtract(a, b);

        /// <summary>x - value.</summary>
        /// <exception cref="InvalidOperationException">x is a parameter.</exception>
        public static Variable operator -(Variable x, float value) => TapeOf(x, "-", nameof(SubtractOp.Subtract)).Subtract(x, value);

        /// <summary>value - x.</summary>
        /// <exception cref="InvalidOperationException">x is a parameter.</exception>
        public static Variable operator -(float value, Variable x) => TapeOf(x, "-", nameof(SubtractOp.Subtract)).Subtract(value, x);

        /// <summary>a * b, element by element: a matrix product is <c>tape.MatMul(a, b)</c>.</summary>
        /// <exception cref="InvalidOperationException">Both are parameters.</exception>
        public static Variable operator *(Variable a, Variable b) => TapeOf(a, b, "*", nameof(MultiplyOp.Multiply)).Multiply(a, b);

        /// <summary>x * value.</summary>
        /// <exception cref="InvalidOperationException">x is a parameter.</exception>
        public static Variable operator *(Variable x, float value) => TapeOf(x, "*", nameof(ScaleOp.Scale)).Scale(x, value);

        /// <summary>value * x.</summary>
        /// <exception cref="InvalidOperationException">x is a parameter.</exception>
        public static Variable operator *(float value, Variable x) => TapeOf(x, "*", nameof(ScaleOp.Scale)).Scale(x, value);

        /// <summary>a / b.</summary>
        /// <exception cref="InvalidOperationException">Both are parameters.</exception>
        public static Variable operator /(Variable a, Variable b) => TapeOf(a, b, "/", nameof(DivideOp.Divide)).Divide(a, b);

        /// <summary>x / value.</summary>
        /// <exception cref="InvalidOperationException">x is a parameter.</exception>
        public static Variable operator /(Variable x, float value) => TapeOf(x, "/", nameof(DivideOp.Divide)).Divide(x, value);

        /// <summary>value / x.</summary>
        /// <exception cref="InvalidOperationException">x is a parameter.</exception>
        public static Variable operator /(float value, Variable x) => TapeOf(x, "/", nameof(DivideOp.Divide)).Divide(value, x);

        /// <summary>-x.</summary>
        /// <exception cref="InvalidOperationException">x is a parameter.</exception>
        public static Variable operator -(Variable x) => TapeOf(x, "-", nameof(UnaryOp.Negate)).Negate(x);
    }

    private static Tape TapeOf(Variable x, string sign, string method)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.Tape ?? throw new InvalidOperationException(
            $"operator {sign}: the parameter {x.Shape} belongs to no tape; expected tape.{method}(...) for the first step of such an expression");
    }

    private static Tape TapeOf(Variable a, Variable b, string sign, string method)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return a.Tape ?? b.Tape ?? throw new InvalidOperationException(
            $"operator {sign}: the parameters {a.Shape} and {b.Shape} belong to no tape; "
            + $"expected tape.{method}(a, b) for the first step of such an expression");
    }
}
