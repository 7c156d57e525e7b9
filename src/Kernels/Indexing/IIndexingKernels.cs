using Ldvc.Tensors;

namespace Ldvc.Kernels.Indexing;

/// <summary>
/// Slices of the middle dimension of [outer, rows, inner] by index: embedding tables, gathering along an axis. Indices are int32 [count].
/// </summary>
internal interface IIndexingKernels
{
    /// <summary>
    /// y [outer, count, inner]: y[o, i] = x[o, indices[i]]. Callers check what the host can see; the slice of an index outside of 0 .. rows - 1 is
    /// NaN.
    /// </summary>
    void Select(View x, View indices, View y, int outer, int rows, int inner, int count);

    /// <summary>dx[o, indices[i]] += dy[o, i], i ascending, without atomics; indices outside of 0 .. rows - 1 are left out.</summary>
    void SelectBackward(View dy, View indices, View dx, int outer, int rows, int inner, int count);
}
