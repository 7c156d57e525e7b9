using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.MatMul.TensorCore;

/// <summary>
/// What a thread copies of an operand's tile, worked out once before the loop over the sum: two chunks, which lie <see cref="Second"/> apart in the
/// matrix and as many chunks apart in the tile as the group has threads. In the loop an instruction that computes an address costs as much as one
/// that multiplies.
/// </summary>
internal struct TileCopies
{
    /// <summary>The first chunk in the matrix, at the beginning of the sum.</summary>
    public int Source;

    /// <summary>From it to the second.</summary>
    public int Second;

    /// <summary>The steps of the sum before which the first chunk lies inside the matrix, and the second.</summary>
    public int Limit;
    public int SecondLimit;

    /// <summary>The first chunk in the tile.</summary>
    public int Target;

    /// <summary>Bytes of a chunk that lie inside the matrix across the sum.</summary>
    public int Bytes;

    /// <summary>
    /// Starts both copies for the stage that begins at step k; <paramref name="along"/> is how many chunks that is from <see cref="Source"/>. What
    /// lies outside the matrix becomes zero.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Start(TileCopies c, ArrayView<Halves8> shared, int at, ArrayView<Halves8> matrix, int along, int k, int threads)
    {
        int source = c.Source + along;
        bool first = k < c.Limit, second = k < c.SecondLimit;
        AsyncCopy.Copy16(ref shared[at + c.Target], ref matrix[first ? source : 0], first ? c.Bytes : 0);
        AsyncCopy.Copy16(ref shared[at + c.Target + threads], ref matrix[second ? source + c.Second : 0], second ? c.Bytes : 0);
    }

    /// <summary>The same where the sum runs along a row of float32 numbers and may end within a chunk: four bytes a step that is left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void StartTf32(TileCopies c, ArrayView<Halves8> shared, int at, ArrayView<Halves8> matrix, int along, int k, int threads)
    {
        int source = c.Source + along;
        bool first = k < c.Limit, second = k < c.SecondLimit;
        AsyncCopy.Copy16(ref shared[at + c.Target], ref matrix[first ? source : 0], first ? IntrinsicMath.Min(4 * (c.Limit - k), 16) : 0);
        AsyncCopy.Copy16(
            ref shared[at + c.Target + threads],
            ref matrix[second ? source + c.Second : 0],
            second ? IntrinsicMath.Min(4 * (c.SecondLimit - k), 16) : 0);
    }
}
