using Ldvc.Kernels.Simd;


namespace Ldvc.Kernels.Resample.Cpu;

internal unsafe struct ResampleArguments
{
    public float* X;
    public float* Y;
    public float* Dy;
    public float* Dx;
    public bool Accumulate;
    public int Planes;
    public int Height;
    public int Width;
    public int OutputHeight;
    public int OutputWidth;
    public int Bands;
}

/// <summary>Bilinear resizing: a tile of the forward is a band of a plane's output rows, a tile of the backward is a plane.</summary>
internal static unsafe class CpuResamplePlanes<S, V>
    where S : ISimd<V>
    where V : struct
{
    internal static void Forward(ResampleArguments* a, int tile, int worker)
    {
        int plane = tile / a->Bands, band = tile % a->Bands;
        int firstRow = (int)Tiling.Start(a->OutputHeight, a->Bands, band), endRow = (int)Tiling.Start(a->OutputHeight, a->Bands, band + 1);
        float* scratch = stackalloc float[CpuBilinearBlocks.ScratchFloats];
        var blocks = new CpuBilinearBlocks(scratch, a->Height, a->Width, a->OutputHeight, a->OutputWidth);
        float* x = a->X + ((long)plane * a->Height * a->Width);
        float* y = a->Y + ((long)plane * a->OutputHeight * a->OutputWidth);
        for (int start = 0; start < a->OutputWidth; start += CpuBilinearBlocks.Strip)
        {
            blocks.StartStrip(start);
            blocks.StartPlane(x, firstRow, endRow);
            while (blocks.NextRows())
            {
                float* target = y + ((long)blocks.Row * a->OutputWidth) + start;
                for (int row = 0; row < blocks.Rows; row++, target += a->OutputWidth)
                {
                    Interpolate(blocks.Lower, blocks.Upper, blocks.Weights[row], target, blocks.Columns);
                }
            }
        }
    }

    internal static void Backward(ResampleArguments* a, int tile, int worker)
    {
        float* scratch = stackalloc float[CpuBilinearBlocks.ScratchFloats];
        float* gradients = stackalloc float[CpuBilinearGradient.ScratchFloats];
        var blocks = new CpuBilinearBlocks(scratch, a->Height, a->Width, a->OutputHeight, a->OutputWidth);
        float* dx = a->Dx + ((long)tile * a->Height * a->Width);
        float* dy = a->Dy + ((long)tile * a->OutputHeight * a->OutputWidth);
        if (!a->Accumulate)
        {
            new Span<float>(dx, a->Height * a->Width).Clear();
        }

        for (int start = 0; start < a->OutputWidth; start += CpuBilinearBlocks.Strip)
        {
            // The gradient's own plane stands in for the input: only the rows and weights of the walk matter here, not its values.
            blocks.StartStrip(start);
            blocks.StartPlane(dx, 0, a->OutputHeight);
            var gradient = new CpuBilinearGradient(gradients, dx, a->Width);
            while (blocks.NextRows())
            {
                gradient.Enter(in blocks);
                float* source = dy + ((long)blocks.Row * a->OutputWidth) + start;
                for (int row = 0; row < blocks.Rows; row++, source += a->OutputWidth)
                {
                    Scatter(source, blocks.Weights[row], gradient.Lower, gradient.Upper, blocks.Columns);
                }
            }

            gradient.Finish(in blocks);
        }
    }

    private static void Interpolate(float* lower, float* upper, float weight, float* target, int columns)
    {
        V weights = S.Set(weight);
        int i = 0;
        for (; i + S.Count <= columns; i += S.Count)
        {
            V start = S.Load(lower + i);
            S.Store(target + i, S.Fma(weights, S.Subtract(S.Load(upper + i), start), start));
        }

        for (; i < columns; i++)
        {
            target[i] = lower[i] + (weight * (upper[i] - lower[i]));
        }
    }

    private static void Scatter(float* source, float weight, float* dLower, float* dUpper, int columns)
    {
        V weights = S.Set(weight), rest = S.Set(1 - weight);
        int i = 0;
        for (; i + S.Count <= columns; i += S.Count)
        {
            V value = S.Load(source + i);
            S.Store(dLower + i, S.Fma(value, rest, S.Load(dLower + i)));
            S.Store(dUpper + i, S.Fma(value, weights, S.Load(dUpper + i)));
        }

        for (; i < columns; i++)
        {
            dLower[i] += source[i] * (1 - weight);
            dUpper[i] += source[i] * weight;
        }
    }
}
