using System.Numerics;

namespace Ldvc.Kernels.Elementwise.Cpu;

internal unsafe struct DropoutArguments
{
    public float* X;
    public float* Y;
    public ulong Key;

    /// <summary>Place of the first element in the tensor that the mask is drawn for.</summary>
    public long First;
    public uint Threshold;
    public float KeptScale;
    public bool Accumulate;
    public long Count;
    public int Tiles;
}

/// <summary>Dropout of a tile. Integer arithmetic dominates: it is done for a vector of elements at a time, with the same bits.</summary>
internal static unsafe class CpuDropout
{
    internal static void Tile(DropoutArguments* a, int tile, int worker)
    {
        var kept = new Vector<float>(a->KeptScale);
        var threshold = new Vector<uint>(a->Threshold);
        int lanes = Vector<uint>.Count;
        long i = Tiling.Start(a->Count, a->Tiles, tile), end = Tiling.Start(a->Count, a->Tiles, tile + 1);
        while (i < end)
        {
            // The upper halves of a vector's indices must agree: once in 2^32 elements they do not.
            long place = a->First + i;
            if (i + lanes > end || (place >> 32) != ((place + lanes - 1) >> 32))
            {
                float value = a->X[i] * DropoutMask.Factor(a->Key, (ulong)place, a->Threshold, a->KeptScale);
                a->Y[i] = a->Accumulate ? a->Y[i] + value : value;
                i++;
                continue;
            }

            var bits = DropoutMask.Bits(a->Key, Vector<uint>.Indices + new Vector<uint>((uint)place), (uint)(place >> 32));
            var values = Vector.Load(a->X + i) * Vector.ConditionalSelect(
                Vector.GreaterThanOrEqual(bits, threshold).As<uint, float>(), kept, Vector<float>.Zero);
            Vector.Store(a->Accumulate ? Vector.Load(a->Y + i) + values : values, a->Y + i);
            i += lanes;
        }
    }
}
