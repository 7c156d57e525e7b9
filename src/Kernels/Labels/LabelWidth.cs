using Ldvc.Tensors;

namespace Ldvc.Kernels.Labels;

/// <summary>
/// How label maps are stored: bytes while a byte holds every class, 32-bit integers beyond. Bytes are what most data sets need and are read four
/// times as fast; kernels are written once for both and compiled for each. This is no family of kernels: it has no contract and launches nothing. The
/// mask loss and the inference steps share it, on a GPU by the two ways of reading below <c>Gpu</c>; on the CPU a type parameter of theirs does.
/// </summary>
internal static class LabelWidth
{
    /// <summary>The most classes of a map of bytes; as a label it means "no class".</summary>
    internal const int MaxInBytes = 255;

    /// <summary>What means "no class" in a map of 32-bit integers: the number that files of 16 bits have for it.</summary>
    internal const int WideNone = ushort.MaxValue;

    /// <summary>Whether the labels are 32-bit integers.</summary>
    internal static bool IsWide(View labels) => labels.Type == DType.Int32;
}
