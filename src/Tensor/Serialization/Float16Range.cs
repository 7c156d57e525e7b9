using System.Globalization;

namespace Ldvc.Tensors.Serialization;

/// <summary>Weights that are stored in fp16 must be numbers of it: beyond 65504 they would become infinite.</summary>
internal static class Float16Range
{
    /// <summary>The largest number.</summary>
    internal const float Largest = 65504;

    // Halfway to the number that would come next, from where on rounding gives infinity.
    private const float First = 65520;

    /// <summary>Refuses finite numbers that become infinite where they are stored.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="first">Index of the first value in it.</param>
    /// <param name="values">What is stored.</param>
    /// <param name="storage">As what.</param>
    /// <exception cref="InputException">It is fp16, and one is larger.</exception>
    internal static void CheckStored(string name, long first, ReadOnlySpan<float> values, DType storage)
    {
        for (int i = 0; storage == DType.Float16 && i < values.Length; i++)
        {
            if (MathF.Abs(values[i]) >= First && float.IsFinite(values[i]))
            {
                throw new InputException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"tensor {ArchiveText.Quote(name)} holds {values[i]} at element {first + i}, expected numbers up to {Largest} to be stored as "
                        + $"Float16; BFloat16 and Float32 hold larger ones."));
            }
        }
    }

    /// <summary>Refuses a tensor of a file, read as float32, that does not fit where it goes.</summary>
    /// <exception cref="InputException">It goes to fp16 and holds a larger number.</exception>
    internal static void Check(string path, string name, ReadOnlySpan<float> values, DType target)
    {
        if (target != DType.Float16)
        {
            return;
        }

        for (int i = 0; i < values.Length; i++)
        {
            if (MathF.Abs(values[i]) >= First)
            {
                throw new InputException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{path}: tensor '{name}' holds {values[i]} (value {i + 1} of {values.Length}), expected numbers up to {Largest} for precision "
                        + $"fp16; bf16 and tf32 hold larger ones."));
            }
        }
    }
}
