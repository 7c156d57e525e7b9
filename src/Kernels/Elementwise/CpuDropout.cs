namespace Ldvc.Kernels.Elementwise;

internal unsafe struct DropoutArguments
{
    public float* X;
    public float* Y;
    public ulong Key;
    public uint Threshold;
    public float KeptScale;
    public bool Accumulate;
    public long Count;
    public int Tiles;
}

/// <summary>Dropout of a tile; integer arithmetic dominates and the scalar loop is what the JIT makes of it.</summary>
internal static unsafe class CpuDropout
{
    internal static void Tile(DropoutArguments* a, int tile, int worker)
    {
        for (long i = Tiling.Start(a->Count, a->Tiles, tile), end = Tiling.Start(a->Count, a->Tiles, tile + 1); i < end; i++)
        {
            float value = a->X[i] * DropoutMask.Factor(a->Key, (ulong)i, a->Threshold, a->KeptScale);
            a->Y[i] = a->Accumulate ? a->Y[i] + value : value;
        }
    }
}
