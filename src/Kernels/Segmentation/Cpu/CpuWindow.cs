using Ldvc.Kernels.Resample.Cpu;
using Ldvc.Kernels.Simd;


namespace Ldvc.Kernels.Segmentation.Cpu;

internal unsafe struct WindowArguments
{
    public float* Z;
    public float* Penalty;
    public float* Canvas;
    public int Height;
    public int Width;
    public int WindowHeight;
    public int WindowWidth;
    public int CanvasHeight;
    public int CanvasWidth;
    public int Top;
    public int Left;

    /// <summary>Whether logits are added as they are, without the sigmoid.</summary>
    public bool Plain;
    public int Bands;
}

/// <summary>Adds the probabilities of one window to the canvas; a tile is a band of rows of one class, so no two tiles meet.</summary>
internal static unsafe class CpuWindow<S, V>
    where S : ISimd<V>
    where V : struct
{
    internal static void Add(WindowArguments* a, int tile, int worker)
    {
        int plane = tile / a->Bands, band = tile % a->Bands;
        int firstRow = (int)Tiling.Start(a->WindowHeight, a->Bands, band), endRow = (int)Tiling.Start(a->WindowHeight, a->Bands, band + 1);
        float* scratch = stackalloc float[CpuBilinearBlocks.ScratchFloats];
        var blocks = new CpuBilinearBlocks(scratch, a->Height, a->Width, a->WindowHeight, a->WindowWidth);
        float* z = a->Z + ((long)plane * a->Height * a->Width);
        float* canvas = a->Canvas + ((((long)plane * a->CanvasHeight) + a->Top) * a->CanvasWidth) + a->Left;
        float penalty = a->Penalty == null ? 0 : a->Penalty[plane];
        for (int start = 0; start < a->WindowWidth; start += CpuBilinearBlocks.Strip)
        {
            blocks.StartStrip(start);
            blocks.StartPlane(z, firstRow, endRow);
            while (blocks.NextRows())
            {
                float* target = canvas + ((long)blocks.Row * a->CanvasWidth) + start;
                for (int row = 0; row < blocks.Rows; row++, target += a->CanvasWidth)
                {
                    AddRow(blocks.Lower, blocks.Upper, blocks.Weights[row], penalty, a->Plain, target, blocks.Columns);
                }
            }
        }
    }

    /// <summary>Adds the scores of one stretched row to a row of probabilities.</summary>
    internal static void AddRow(float* lower, float* upper, float weight, float penalty, bool plain, float* target, int columns)
    {
        V weights = S.Set(weight), penalties = S.Set(penalty);
        int i = 0;
        for (; i + S.Count <= columns; i += S.Count)
        {
            S.Store(target + i, S.Add(S.Load(target + i), Score(lower + i, upper + i, weights, penalties, plain)));
        }

        if (i < columns)
        {
            // The stretched rows extend to whole vectors; the canvas does not.
            float* lanes = stackalloc float[SimdLevel.MaxLanes];
            S.Store(lanes, Score(lower + i, upper + i, weights, penalties, plain));
            for (int lane = 0; i + lane < columns; lane++)
            {
                target[i + lane] += lanes[lane];
            }
        }
    }

    private static V Score(float* lower, float* upper, V weights, V penalties, bool plain)
    {
        V start = S.Load(lower), logit = S.Fma(weights, S.Subtract(S.Load(upper), start), start);
        return S.Subtract(plain ? logit : VectorMath<S, V>.Sigmoid(logit), penalties);
    }
}
