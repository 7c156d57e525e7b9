using System.Runtime.CompilerServices;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.MaskLoss.Cpu;

/// <summary>Coefficients of a plane's gradient; they fold in 1/n, the loss weights and the derivative of the dice quotient.</summary>
internal readonly struct MaskLossSlopes
{
    /// <summary>Focal coefficient of a negative pixel.</summary>
    internal float Negative { get; init; }

    /// <summary>Focal coefficient of a positive pixel; negative, because its loss falls with z.</summary>
    internal float Positive { get; init; }

    /// <summary>Dice coefficient of p (1 - p) at a negative pixel.</summary>
    internal float DiceNegative { get; init; }

    /// <summary>The same at a positive pixel.</summary>
    internal float DicePositive { get; init; }

    /// <summary>Whether the plane has a positive pixel.</summary>
    internal bool Present { get; init; }

    /// <summary>dice = 1 - (2 I + 1) / D with D = P + Y + 1: its derivative by one p is (2 I + 1) / D^2 - 2 y / D.</summary>
    internal static unsafe MaskLossSlopes Of(MaskLossArguments* a, int plane)
    {
        float* sums = a->Sums + (4L * plane);
        bool present = sums[2] > 0;
        double denominator = (double)sums[1] + sums[2] + 1;
        double common = ((2.0 * sums[0]) + 1) / (denominator * denominator);
        return new MaskLossSlopes
        {
            Negative = a->FocalScale * (1 - a->Sizes.Alpha),
            Positive = -a->FocalScale * a->Sizes.Alpha,
            DiceNegative = present ? (float)(a->DiceScale * common) : 0,
            DicePositive = present ? (float)(a->DiceScale * (common - (2 / denominator))) : 0,
            Present = present,
        };
    }
}

/// <summary>
/// Loss terms and slopes over a block of rows that lie between two stretched rows of logits. With s = -1 at positives and +1 at negatives, both
/// kinds of pixels obey one formula in s z: focal term a p^2 softplus(s z), p = sigmoid(s z) being one minus the probability of the truth, and
/// slope s a p^2 (2 (1 - p) softplus(s z) + p).
/// </summary>
internal static unsafe class CpuMaskLossMath<S, V>
    where S : ISimd<V>
    where V : struct
{
    /// <summary>Sums the focal terms, without the factor 1 - alpha, and the probabilities of a block without positives.</summary>
    internal static void SumNegatives(float* lower, float* upper, int columns, float* weights, int rows, out V focals, out V probabilities)
    {
        V focal = S.Zero, probability = S.Zero;
        for (int i = 0; i < columns; i += S.Count)
        {
            V start = S.Load(lower + i), step = S.Subtract(S.Load(upper + i), start);

            // Partial sums of one column vector, then of the block: short chains of float additions.
            V columnFocal = S.Zero, columnProbability = S.Zero;
            for (int row = 0; row < rows; row++)
            {
                Terms(S.Fma(S.Set(weights[row]), step, start), out V p, out _, out V softplus);
                columnFocal = S.Fma(S.Multiply(p, p), softplus, columnFocal);
                columnProbability = S.Add(columnProbability, p);
            }

            focal = S.Add(focal, columnFocal);
            probability = S.Add(probability, columnProbability);
        }

        focals = focal;
        probabilities = probability;
    }

    /// <summary>Sums the focal terms, the probabilities of all pixels and those of the positive ones.</summary>
    internal static void SumMixed(
        float* lower,
        float* upper,
        int columns,
        float* weights,
        int rows,
        float* signs,
        int stride,
        float alpha,
        out V focals,
        out V probabilities,
        out V hits)
    {
        V focal = S.Zero, probability = S.Zero, hit = S.Zero, half = S.Set(0.5f), tilt = S.Set(0.5f - alpha);
        for (int i = 0; i < columns; i += S.Count)
        {
            V start = S.Load(lower + i), step = S.Subtract(S.Load(upper + i), start);
            V columnFocal = S.Zero, columnNegative = S.Zero, columnHit = S.Zero;
            for (int row = 0; row < rows; row++)
            {
                V sign = S.Load(signs + (row * stride) + i);
                Terms(S.Multiply(sign, S.Fma(S.Set(weights[row]), step, start)), out V p, out V q, out V softplus);
                columnFocal = S.Fma(S.Multiply(S.Multiply(p, p), softplus), S.Fma(sign, tilt, half), columnFocal);
                columnNegative = S.Add(columnNegative, S.SelectPositive(sign, p, S.Zero));
                columnHit = S.Add(columnHit, S.SelectPositive(sign, S.Zero, q));
            }

            focal = S.Add(focal, columnFocal);
            probability = S.Add(probability, S.Add(columnNegative, columnHit));
            hit = S.Add(hit, columnHit);
        }

        focals = focal;
        probabilities = probability;
        hits = hit;
    }

    /// <summary>Adds the slopes of a block without positives to the gradients of the two stretched rows.</summary>
    internal static void SlopesNegatives(
        float* lower, float* upper, int columns, float* weights, int rows, in MaskLossSlopes slopes, float* dLower, float* dUpper)
    {
        V focal = S.Set(slopes.Negative), dice = S.Set(slopes.DiceNegative);
        for (int i = 0; i < columns; i += S.Count)
        {
            V start = S.Load(lower + i), step = S.Subtract(S.Load(upper + i), start);
            V sum = S.Zero, weighted = S.Zero;
            for (int row = 0; row < rows; row++)
            {
                V weight = S.Set(weights[row]);
                V slope = Slope(S.Fma(weight, step, start), focal, dice);
                sum = S.Add(sum, slope);
                weighted = S.Fma(slope, weight, weighted);
            }

            S.Store(dLower + i, S.Add(S.Load(dLower + i), S.Subtract(sum, weighted)));
            S.Store(dUpper + i, S.Add(S.Load(dUpper + i), weighted));
        }
    }

    /// <summary>The same for a block with positives.</summary>
    internal static void SlopesMixed(
        float* lower,
        float* upper,
        int columns,
        float* weights,
        int rows,
        float* signs,
        int stride,
        in MaskLossSlopes slopes,
        float* dLower,
        float* dUpper)
    {
        V focalNegative = S.Set(slopes.Negative), focalPositive = S.Set(slopes.Positive);
        V diceNegative = S.Set(slopes.DiceNegative), dicePositive = S.Set(slopes.DicePositive);
        for (int i = 0; i < columns; i += S.Count)
        {
            V start = S.Load(lower + i), step = S.Subtract(S.Load(upper + i), start);
            V sum = S.Zero, weighted = S.Zero;
            for (int row = 0; row < rows; row++)
            {
                V weight = S.Set(weights[row]), sign = S.Load(signs + (row * stride) + i);
                V focal = S.SelectPositive(sign, focalNegative, focalPositive), dice = S.SelectPositive(sign, diceNegative, dicePositive);
                V slope = Slope(S.Multiply(sign, S.Fma(weight, step, start)), focal, dice);
                sum = S.Add(sum, slope);
                weighted = S.Fma(slope, weight, weighted);
            }

            S.Store(dLower + i, S.Add(S.Load(dLower + i), S.Subtract(sum, weighted)));
            S.Store(dUpper + i, S.Add(S.Load(dUpper + i), weighted));
        }
    }

    /// <summary>p (focal p (2 q softplus + p) + dice q) at the signed logit x; p (1 - p) does not depend on the sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Slope(V x, V focal, V dice)
    {
        Terms(x, out V p, out V q, out V softplus);
        V inner = S.Fma(S.Multiply(S.Add(q, q), softplus), p, S.Multiply(p, p));
        return S.Multiply(p, S.Fma(focal, inner, S.Multiply(dice, q)));
    }

    /// <summary>
    /// p = sigmoid(x), q = 1 - p and softplus(x) = max(x, 0) + log(1 + e^-|x|) from one exponential; both p and q keep their relative accuracy.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Terms(V x, out V p, out V q, out V softplus)
    {
        V u = VectorMath<S, V>.Exp(S.Subtract(S.Zero, S.Abs(x)));
        V large = S.Divide(S.Set(1f), S.Add(S.Set(1f), u));
        V small = S.Multiply(u, large);
        p = S.SelectPositive(x, large, small);
        q = S.SelectPositive(x, small, large);

        // Zero first: where x is NaN the maximum is its second operand, and a diverged model must show in the loss.
        softplus = S.Add(S.Max(S.Zero, x), VectorLog<S, V>.Log1pUnit(u));
    }
}
