using Ldvc.Kernels.Reduction;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Tokens.Cpu;

internal unsafe struct TokenArguments
{
    public float* Source;
    public float* Target;
    public int* Indices;
    public long SourceStride;
    public long TargetStride;
    public long Length;
    public int Blocks;
    public int Tiles;
    public bool Accumulate;
}

internal unsafe struct PatchArguments
{
    public float* Image;
    public float* Patches;
    public int Channels;
    public int Height;
    public int Width;
    public int Patch;
}

/// <summary>CPU token movement: copies limited by memory, split over blocks, or over columns where blocks add up.</summary>
internal sealed unsafe partial class CpuTokens(CpuThreads threads, IReductionKernels reduction) : ITokenKernels
{
    public void CopyBlocks(
        View source, long sourceStride, View target, long targetStride, int blocks, long length, bool accumulate, BlockRepeat repeat = default)
    {
        var a = new TokenArguments
        {
            Source = source.Floats,
            Target = target.Floats,
            SourceStride = sourceStride,
            TargetStride = targetStride,
            Blocks = blocks,
            Length = length,
            Accumulate = accumulate,
            Tiles = Tiling.Count(blocks, length),
        };
        for (int i = 0; i < repeat.Count; i++, a.Source += repeat.SourceStep, a.Target += repeat.TargetStep)
        {
            threads.For(a.Tiles, &a, &CopyTile);
        }
    }

    public void SumBlocks(View source, long sourceStride, View target, int blocks, long length, BlockRepeat repeat = default)
    {
        var a = new TokenArguments
        {
            Source = source.Floats,
            Target = target.Floats,
            SourceStride = sourceStride,
            Blocks = blocks,
            Length = length,
            Tiles = Tiling.Count(length, blocks),
        };
        for (int i = 0; i < repeat.Count; i++, a.Source += repeat.SourceStep, a.Target += repeat.TargetStep)
        {
            threads.For(a.Tiles, &a, &SumTile);
        }
    }

    public void LogMeanExp(View x, View y, int batch, int tokens, int width, float sharpness)
    {
        var a = new LogMeanExpArguments { X = x.Floats, Y = y.Floats, Tokens = tokens, Width = width, Sharpness = sharpness };
        SimdDispatch.For<LogMeanExpForward, LogMeanExpArguments>(threads, batch, &a);
    }

    public void LogMeanExpGradient(View x, View y, View dy, View dx, bool accumulate, int batch, int tokens, int width, float sharpness)
    {
        var a = new LogMeanExpArguments
        {
            X = x.Floats,
            Y = y.Floats,
            Dy = dy.Floats,
            Dx = dx.Floats,
            Accumulate = accumulate,
            Tokens = tokens,
            Width = width,
            Sharpness = sharpness
        };
        SimdDispatch.For<LogMeanExpBackward, LogMeanExpArguments>(threads, batch, &a);
    }

    public void Gather(View table, View indices, View y, int count, int columns)
    {
        var a = new TokenArguments
        {
            Source = table.Floats,
            Target = y.Floats,
            Indices = indices.Ints,
            Blocks = count,
            Length = columns,
            Tiles = Tiling.Count(count, columns)
        };
        threads.For(a.Tiles, &a, &GatherTile);
    }

    public void ScatterAdd(View dy, View indices, View dtable, int count, int columns)
    {
        var a = new TokenArguments
        {
            Source = dy.Floats,
            Target = dtable.Floats,
            Indices = indices.Ints,
            Blocks = count,
            Length = columns,
            Tiles = TokensPlan.CpuScatterTiles(columns)
        };
        threads.For(a.Tiles, &a, &ScatterTile);
    }

    public void Patchify(View image, View patches, int batch, int channels, int height, int width, int patch)
    {
        var a = new PatchArguments
        {
            Image = image.Floats,
            Patches = patches.Floats,
            Channels = channels,
            Height = height,
            Width = width,
            Patch = patch
        };
        threads.For(batch * (height / patch), &a, &PatchTile);
    }

    private static void CopyTile(TokenArguments* a, int tile, int worker)
    {
        for (long block = Tiling.Start(a->Blocks, a->Tiles, tile), end = Tiling.Start(a->Blocks, a->Tiles, tile + 1); block < end; block++)
        {
            float* source = a->Source + (block * a->SourceStride);
            float* target = a->Target + (block * a->TargetStride);
            if (!a->Accumulate)
            {
                Buffer.MemoryCopy(source, target, a->Length * sizeof(float), a->Length * sizeof(float));
                continue;
            }

            for (long i = 0; i < a->Length; i++)
            {
                target[i] += source[i];
            }
        }
    }

    private static void SumTile(TokenArguments* a, int tile, int worker)
    {
        long start = Tiling.Start(a->Length, a->Tiles, tile), end = Tiling.Start(a->Length, a->Tiles, tile + 1);
        if (a->Blocks > Tiling.SumBlock)
        {
            SumMany(a, start, end);
            return;
        }

        for (int block = 0; block < a->Blocks; block++)
        {
            float* source = a->Source + (block * a->SourceStride);
            for (long i = start; i < end; i++)
            {
                a->Target[i] += source[i];
            }
        }
    }

    private static void SumMany(TokenArguments* a, long start, long end)
    {
        for (long i = start; i < end; i++)
        {
            double sum = 0;
            for (int block = 0; block < a->Blocks; block++)
            {
                sum += a->Source[(block * a->SourceStride) + i];
            }

            a->Target[i] += (float)sum;
        }
    }

    private static void GatherTile(TokenArguments* a, int tile, int worker)
    {
        for (long row = Tiling.Start(a->Blocks, a->Tiles, tile), end = Tiling.Start(a->Blocks, a->Tiles, tile + 1); row < end; row++)
        {
            Buffer.MemoryCopy(
                a->Source + (a->Indices[row] * a->Length), a->Target + (row * a->Length), a->Length * sizeof(float), a->Length * sizeof(float));
        }
    }

    private static void ScatterTile(TokenArguments* a, int tile, int worker)
    {
        long start = Tiling.Start(a->Length, a->Tiles, tile), end = Tiling.Start(a->Length, a->Tiles, tile + 1);
        for (int row = 0; row < a->Blocks; row++)
        {
            float* source = a->Source + (row * a->Length);
            float* target = a->Target + (a->Indices[row] * a->Length);
            for (long i = start; i < end; i++)
            {
                target[i] += source[i];
            }
        }
    }

    private static void PatchTile(PatchArguments* a, int tile, int worker)
    {
        int p = a->Patch, gridHeight = a->Height / p, gridWidth = a->Width / p;
        int batch = tile / gridHeight, gy = tile % gridHeight;
        long size = (long)a->Channels * p * p;
        for (int gx = 0; gx < gridWidth; gx++)
        {
            float* target = a->Patches + (((((long)batch * gridHeight) + gy) * gridWidth) + gx) * size;
            for (int c = 0; c < a->Channels; c++)
            {
                for (int y = 0; y < p; y++, target += p)
                {
                    float* source = a->Image + (((((long)batch * a->Channels) + c) * a->Height) + (gy * p) + y) * a->Width + (gx * p);
                    Buffer.MemoryCopy(source, target, p * sizeof(float), p * sizeof(float));
                }
            }
        }
    }

    private readonly struct LogMeanExpForward : ITileKernel<LogMeanExpArguments>
    {
        public static void Tile<S, V>(LogMeanExpArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct =>
            CpuLogMeanExp<S, V>.Forward(a, tile, worker);
    }

    private readonly struct LogMeanExpBackward : ITileKernel<LogMeanExpArguments>
    {
        public static void Tile<S, V>(LogMeanExpArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct =>
            CpuLogMeanExp<S, V>.Backward(a, tile, worker);
    }
}
