using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.MatMul.Gpu;

/// <summary>What happens to a sum on its way to C; the order is the CPU's.</summary>
internal static class GpuGemmEpilogue
{
    /// <summary>Finishes and stores four neighbouring columns of one row; rows and columns past C's edge are left out.</summary>
    internal static void Store(in GemmArgs args, Float4 sum, int row, int column)
    {
        if (row >= args.M || column >= args.N)
        {
            return;
        }

        int at = (Grid.IdxZ * args.StrideC) + (row * args.Ldc) + column;
        if ((args.Flags & GemmFlags.PackedC) != 0)
        {
            Four(args, sum, at >> 2, column >> 2);
            return;
        }

        for (int i = 0; i < 4 && column + i < args.N; i++)
        {
            One(args, i == 0 ? sum.X : i == 1 ? sum.Y : i == 2 ? sum.Z : sum.W, at + i, column + i);
        }
    }

    private static void Four(in GemmArgs args, Float4 sum, int at, int column)
    {
        var c = args.C.Cast<Float4>();
        var value = Float4.Multiply(sum, Float4.Fill(args.Alpha));
        if ((args.Flags & GemmFlags.Accumulate) != 0)
        {
            value = Float4.Add(c[at], value);
        }

        if ((args.Flags & GemmFlags.Bias) != 0)
        {
            value = Float4.Add(value, args.Bias.Cast<Float4>()[column]);
        }

        if ((args.Flags & GemmFlags.PreActivation) != 0)
        {
            args.PreActivation.Cast<Float4>()[at] = value;
        }

        if ((args.Flags & GemmFlags.ActivationGradient) != 0)
        {
            var before = args.ActivationGradientOf.Cast<Float4>()[at];
            value = Float4.Multiply(value, new Float4(
                GpuMath.Derivative(before.X, args.Activation), GpuMath.Derivative(before.Y, args.Activation),
                GpuMath.Derivative(before.Z, args.Activation), GpuMath.Derivative(before.W, args.Activation)));
        }
        else if (args.Activation != 0)
        {
            value = new Float4(
                GpuMath.Activate(value.X, args.Activation), GpuMath.Activate(value.Y, args.Activation),
                GpuMath.Activate(value.Z, args.Activation), GpuMath.Activate(value.W, args.Activation));
        }

        if ((args.Flags & GemmFlags.Residual) != 0)
        {
            value = Float4.Add(value, args.Residual.Cast<Float4>()[at]);
        }

        c[at] = value;
    }

    private static void One(in GemmArgs args, float sum, int at, int column)
    {
        float value = sum * args.Alpha;
        if ((args.Flags & GemmFlags.Accumulate) != 0)
        {
            value = args.C[at] + value;
        }

        if ((args.Flags & GemmFlags.Bias) != 0)
        {
            value += args.Bias[column];
        }

        if ((args.Flags & GemmFlags.PreActivation) != 0)
        {
            args.PreActivation[at] = value;
        }

        value = (args.Flags & GemmFlags.ActivationGradient) != 0
            ? value * GpuMath.Derivative(args.ActivationGradientOf[at], args.Activation)
            : GpuMath.Activate(value, args.Activation);
        if ((args.Flags & GemmFlags.Residual) != 0)
        {
            value += args.Residual[at];
        }

        args.C[at] = value;
    }
}
