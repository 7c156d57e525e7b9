using ILGPU;

namespace Ldvc.Kernels.Tokens.Gpu;

internal readonly struct LogMeanExpArgs
{
    internal ArrayView<float> X { get; init; }

    internal ArrayView<float> Y { get; init; }

    internal ArrayView<float> Dy { get; init; }

    internal ArrayView<float> Dx { get; init; }

    internal int Batch { get; init; }

    internal int Tokens { get; init; }

    internal int Width { get; init; }

    internal float Sharpness { get; init; }

    /// <summary>1 to add to the gradient.</summary>
    internal int Accumulate { get; init; }
}

/// <summary>The soft maximum over tokens: a thread a column of a picture, neighbours beside each other; its gradient: a thread an element.</summary>
internal static class GpuLogMeanExp
{
    internal static void Forward(LogMeanExpArgs a)
    {
        int item = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (item < a.Batch * a.Width)
        {
            int batch = item / a.Width, column = item - (batch * a.Width), at = (batch * a.Tokens * a.Width) + column;
            float largest = float.NegativeInfinity, sum = 0;
            for (int t = 0; t < a.Tokens; t++)
            {
                largest = MathF.Max(largest, a.X[at + (t * a.Width)]);
            }

            for (int t = 0; t < a.Tokens; t++)
            {
                sum += MathF.Exp(a.Sharpness * (a.X[at + (t * a.Width)] - largest));
            }

            a.Y[item] = largest + (MathF.Log(sum / a.Tokens) / a.Sharpness);
        }
    }

    internal static void Backward(LogMeanExpArgs a)
    {
        int item = (Grid.IdxX * Group.DimX) + Group.IdxX, each = a.Tokens * a.Width;
        if (item < a.Batch * each)
        {
            int batch = item / each, row = item / a.Width, few = (batch * a.Width) + item - (row * a.Width);
            float gradient = a.Dy[few] * MathF.Exp(a.Sharpness * (a.X[item] - a.Y[few])) / a.Tokens;
            a.Dx[item] = a.Accumulate != 0 ? a.Dx[item] + gradient : gradient;
        }
    }
}
