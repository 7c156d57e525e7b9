using System.Runtime.CompilerServices;

namespace Ldvc.Tensors;

/// <summary>
/// The sizes of a tensor, outermost dimension first (row-major). At most six dimensions; a value, so that shapes cost no allocation.
/// </summary>
public readonly struct Shape : IEquatable<Shape>
{
    /// <summary>The largest number of dimensions.</summary>
    public const int MaxRank = 6;

    private readonly Dimensions _sizes;

    // Elements less one: a shape that nobody constructed is that of a scalar, too.
    private readonly long _more;

    /// <summary>Creates a shape.</summary>
    /// <exception cref="ArgumentException">
    /// There are more than <see cref="MaxRank"/> sizes, one is negative, or they make 2^63 elements or more.
    /// </exception>
    public Shape(params ReadOnlySpan<int> sizes)
    {
        if (sizes.Length > MaxRank)
        {
            throw new ArgumentException($"a shape has at most {MaxRank} dimensions, got {sizes.Length}", nameof(sizes));
        }

        if (!TryCount(sizes, out long count))
        {
            string text = $"shape [{string.Join(", ", sizes.ToArray())}]";
            throw sizes.ContainsAnyInRange(int.MinValue, -1)
                ? new ArgumentOutOfRangeException(nameof(sizes), $"{text}: sizes must not be negative")
                : new ArgumentException($"{text}: expected fewer than 2^63 elements", nameof(sizes));
        }

        for (int i = 0; i < sizes.Length; i++)
        {
            _sizes[i] = sizes[i];
        }

        Rank = sizes.Length;
        _more = count - 1;
    }

    /// <summary>Number of dimensions.</summary>
    public int Rank { get; }

    /// <summary>Number of elements.</summary>
    public long Count => _more + 1;

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

    /// <summary>The number of elements of these sizes; false when one is negative or the number is 2^63 or more.</summary>
    internal static bool TryCount(ReadOnlySpan<int> sizes, out long count)
    {
        count = 1;
        bool fits = true, empty = false;
        foreach (int size in sizes)
        {
            if (size < 0)
            {
                return false;
            }

            // A zero anywhere makes it zero, whatever the others multiply to.
            empty |= size == 0;
            long high = Math.BigMul(count, Math.Max(1, size), out count);
            fits &= high == 0 && count > 0;
            count = fits ? count : 1;
        }

        count = empty ? 0 : count;
        return fits || empty;
    }

    /// <summary>The same shape with another innermost size.</summary>
    /// <exception cref="InvalidOperationException">It has no dimension.</exception>
    internal Shape WithLast(int size)
    {
        if (Rank == 0)
        {
            throw new InvalidOperationException($"shape {this} has no innermost dimension");
        }

        Span<int> sizes = stackalloc int[MaxRank];
        for (int i = 0; i < Rank; i++)
        {
            sizes[i] = _sizes[i];
        }

        sizes[Rank - 1] = size;
        return new Shape(sizes[..Rank]);
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
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        for (int i = 0; i < Rank; i++)
        {
            hash.Add(_sizes[i]);
        }

        return hash.ToHashCode();
    }

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
