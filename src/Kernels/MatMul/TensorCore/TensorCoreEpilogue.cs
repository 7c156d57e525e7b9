using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.MatMul.TensorCore;

/// <summary>
/// What happens to a tile of C on its way to memory. The accumulators go through shared memory, so that a warp handles 128 neighbouring floats of a
/// row with 16-byte accesses, and the epilogue is compiled once rather than once an accumulator. All its branches but those at the edge of C are on
/// arguments, the same for every thread.
/// </summary>
internal static class TensorCoreEpilogue
{
    internal const int HasBias = 1;
    internal const int HasPreActivation = 2;
    internal const int HasResidual = 4;
    internal const int HasGradient = 8;
    internal const int Accumulates = 16;

    /// <summary>All rows (and the bias) start at multiples of 16 bytes and N is a multiple of 4: four values are loaded and stored at once.</summary>
    internal const int HasQuads = 32;

    /// <summary>C is of 16 bits; needs <see cref="HasQuads"/>.</summary>
    internal const int RoundsC = 64;

    /// <summary>PreActivation is of 16 bits; needs <see cref="HasQuads"/>.</summary>
    internal const int RoundsPreActivation = 128;

    /// <summary>ActivationGradientOf is of 16 bits; needs <see cref="HasQuads"/>.</summary>
    internal const int WidensGradient = 256;

    /// <summary>The sums are of a gradient that was scaled, and C is not.</summary>
    internal const int Unscales = 512;

    /// <summary>Rows that go through shared memory at a time.</summary>
    internal const int Rows = MatMulTiles.EpilogueRows;

    // Added to each row in shared memory: the quads of lanes that store accumulators then meet different banks.
    private const int Padding = 8;

    /// <summary>Floats from row to row in shared memory.</summary>
    internal static int RowFloats(int columns) => columns + Padding;

    /// <summary>Stores two accumulators' worth of a warp: 16 rows and 8 columns from (row, column) on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Stage(ArrayView<Halves8> shared, int rowFloats, int row, int column, Accumulator c)
    {
        var pairs = shared.Cast<FloatPair>();
        int lane = Warp.LaneIdx, at = (((row + (lane >> 2)) * rowFloats) + column) / 2;
        FloatPair value;
        value.X = c.X;
        value.Y = c.Y;
        pairs[at + (lane & 3)] = value;
        value.X = c.Z;
        value.Y = c.W;
        pairs[at + (4 * rowFloats) + (lane & 3)] = value;
    }

    /// <summary>Finishes <see cref="Rows"/> rows from shared memory; (row, column) is where they lie in C.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Finish<TNumber>(
        TensorCoreGemmArguments p, ArrayView<Halves8> shared, int columns, int batch, int row, int column, int threads)
        where TNumber : struct, ITensorCoreNumber
    {
        float alpha = TNumber.Alpha(p.Alpha, p.Scale, p.Flags & Unscales);
        int quads = columns / 4, rowFloats = RowFloats(columns);
        for (int i = Group.IdxX; i < Rows * quads; i += threads)
        {
            int r = i / quads, q = i & (quads - 1), n = column + (4 * q);
            if (row + r < p.M && n < p.N)
            {
                int at = (batch * p.BatchC) + ((row + r) * p.RowC) + n;
                if ((p.Flags & HasQuads) != 0)
                {
                    FinishQuad<TNumber>(p, alpha, at, n, shared.Cast<Float4>()[((r * rowFloats) / 4) + q]);
                }
                else
                {
                    for (int j = 0; j < 4 && n + j < p.N; j++)
                    {
                        FinishOne(p, alpha, at + j, n + j, shared.Cast<float>()[(r * rowFloats) + (4 * q) + j]);
                    }
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FinishQuad<TNumber>(TensorCoreGemmArguments p, float alpha, int at, int column, Float4 sum)
        where TNumber : struct, ITensorCoreNumber
    {
        Float4 v = Axpy(alpha, sum, (p.Flags & Accumulates) != 0 ? p.C.Cast<Float4>()[at / 4] : default);
        if ((p.Flags & HasBias) != 0)
        {
            v = Axpy(1f, p.Bias.Cast<Float4>()[column / 4], v);
        }

        if ((p.Flags & HasPreActivation) != 0)
        {
            Store<TNumber>(p.PreActivation, at, v, p.Flags & RoundsPreActivation, p.Overflow);
        }

        if ((p.Flags & HasGradient) != 0)
        {
            Float4 x = Load<TNumber>(p.ActivationGradientOf, at, p.Flags & WidensGradient);
            v = new Float4(
                v.X * GpuMath.Derivative(x.X, p.Activation), v.Y * GpuMath.Derivative(x.Y, p.Activation),
                v.Z * GpuMath.Derivative(x.Z, p.Activation), v.W * GpuMath.Derivative(x.W, p.Activation));
        }
        else
        {
            v = new Float4(
                GpuMath.Activate(v.X, p.Activation),
                GpuMath.Activate(v.Y, p.Activation),
                GpuMath.Activate(v.Z, p.Activation),
                GpuMath.Activate(v.W, p.Activation));
        }

        Store<TNumber>(p.C, at, (p.Flags & HasResidual) != 0 ? Axpy(1f, p.Residual.Cast<Float4>()[at / 4], v) : v, p.Flags & RoundsC, p.Overflow);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Load<TNumber>(ArrayView<float> source, int at, int widens)
        where TNumber : struct, ITensorCoreNumber
    {
        Float4 value;
        if (widens != 0)
        {
            value = TNumber.Widen(source.Cast<Halves4>()[at / 4]);
        }
        else
        {
            value = source.Cast<Float4>()[at / 4];
        }

        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TNumber>(ArrayView<float> target, int at, Float4 value, int rounds, ArrayView<int> overflow)
        where TNumber : struct, ITensorCoreNumber
    {
        if (rounds != 0)
        {
            target.Cast<Halves4>()[at / 4] = TNumber.Round(value, overflow);
        }
        else
        {
            target.Cast<Float4>()[at / 4] = value;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FinishOne(TensorCoreGemmArguments p, float alpha, int at, int column, float sum)
    {
        float x = alpha * sum;
        if ((p.Flags & Accumulates) != 0)
        {
            x += p.C[at];
        }

        if ((p.Flags & HasBias) != 0)
        {
            x += p.Bias[column];
        }

        if ((p.Flags & HasPreActivation) != 0)
        {
            p.PreActivation[at] = x;
        }

        x = (p.Flags & HasGradient) != 0 ? x * GpuMath.Derivative(p.ActivationGradientOf[at], p.Activation) : GpuMath.Activate(x, p.Activation);
        if ((p.Flags & HasResidual) != 0)
        {
            x += p.Residual[at];
        }

        p.C[at] = x;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Axpy(float a, Float4 x, Float4 y) => new((a * x.X) + y.X, (a * x.Y) + y.Y, (a * x.Z) + y.Z, (a * x.W) + y.W);
}
