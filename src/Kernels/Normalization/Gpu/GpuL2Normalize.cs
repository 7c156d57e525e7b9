using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Normalization.Gpu;

/// <summary>Rows scaled to unit length, one group a row; limited by memory.</summary>
internal static class GpuL2Normalize<T>
    where T : unmanaged, IPack<T>
{
    internal static void Forward(NormalizeArgs args)
    {
        var shared = SharedMemory.Allocate1D<float>(GpuNormalization.SharedFloats);
        int row = Grid.IdxX, first = row * args.Columns;
        var x = args.X.Cast<T>();
        float squares = 0f;
        for (int i = Group.IdxX; i < args.Columns; i += Group.DimX)
        {
            squares += T.Sum(T.Multiply(x[first + i], x[first + i]));
        }

        float length = MathF.Sqrt(GroupReduction.Sum(shared, squares));
        float inverse = 1f / (length < NormalizationPlan.MinLength ? NormalizationPlan.MinLength : length);
        var scale = T.Fill(inverse);
        var y = args.Y.Cast<T>();
        for (int i = Group.IdxX; i < args.Columns; i += Group.DimX)
        {
            y[first + i] = T.Multiply(x[first + i], scale);
        }

        if (Group.IdxX == 0)
        {
            args.Inverse[row] = inverse;
        }
    }

    /// <summary>dx = (dy - y (y . dy)) / |x|, and dy times the constant where |x| is below the floor.</summary>
    internal static void Backward(NormalizeArgs args)
    {
        var shared = SharedMemory.Allocate1D<float>(GpuNormalization.SharedFloats);
        int row = Grid.IdxX, first = row * args.Columns;
        var y = args.Y.Cast<T>();
        var dy = args.Dy.Cast<T>();
        float dot = 0f;
        for (int i = Group.IdxX; i < args.Columns; i += Group.DimX)
        {
            dot += T.Sum(T.Multiply(y[first + i], dy[first + i]));
        }

        dot = GroupReduction.Sum(shared, dot);
        float inverse = args.Inverse[row];
        var along = T.Fill(inverse < NormalizationPlan.FloorInverse ? -dot : 0f);
        var scale = T.Fill(inverse);
        var dx = args.Dx.Cast<T>();
        for (int i = Group.IdxX; i < args.Columns; i += Group.DimX)
        {
            var value = T.Multiply(T.Add(dy[first + i], T.Multiply(y[first + i], along)), scale);
            dx[first + i] = args.Accumulate != 0 ? T.Add(dx[first + i], value) : value;
        }
    }
}
