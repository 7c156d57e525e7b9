using System.Runtime.CompilerServices;

namespace Ldvc.Tensors;

/// <summary>The sizes of a tensor, outermost dimension first (row-major). At most six dimensions; a value, so that shapes cost no allocation.</summary>
public readonly struct Shape : IEquatable<Shape>
{
    /// <summary>The largest number of dimensions.</summary>
    public const int MaxRank = 6;

    private readonly Dimensions _sizes;

    /// <summary>Creates a shape; sizes must not be negative.</summary>
    public Shape(params ReadOnlySpan<int> sizes)
    {
        if (sizes.Length > MaxRank)
        {
            throw new ArgumentException($"a shape has at most {MaxRank} dimensions, got {sizes.Length}", nameof(sizes));
        }

        long count = 1;
        for (int i = 0; i < sizes.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(sizes[i]);
            _sizes[i] = sizes[i];
            count = checked(count * sizes[i]);
        }

        Rank = sizes.Length;
        Count = count;
    }

    /// <summary>Number of dimensions.</summary>
    public int Rank { get; }

    /// <summary>Number of elements.</summary>
    public long Count { get; }

    /// <summary>Size of a dimension; negative indices count from the end, -1 is the innermost.</summary>
    public int this[int dimension]
    {
        get
        {
            int i = dimension < 0 ? Rank + dimension : dimension;
            return (uint)i < (uint)Rank
                ? _sizes[i]
                : throw new ArgumentOutOfRangeException(nameof(dimension), $"dimension {dimension} of shape {this}");
        }
    }

    /// <summary>The sizes as an array.</summary>
    public int[] ToArray()
    {
        var sizes = new int[Rank];
        for (int i = 0; i < Rank; i++)
        {
            sizes[i] = _sizes[i];
        }

        return sizes;
    }

    /// <inheritdoc/>
    public bool Equals(Shape other)
    {
        if (Rank != other.Rank)
        {
            return false;
        }

        for (int i = 0; i < Rank; i++)
        {
            if (_sizes[i] != other._sizes[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Rank, Count);

    /// <summary>Same rank and sizes.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Other rank or sizes.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString() => $"[{string.Join(", ", ToArray())}]";

    [InlineArray(MaxRank)]
    private struct Dimensions
    {
        private int _first;
    }
}
