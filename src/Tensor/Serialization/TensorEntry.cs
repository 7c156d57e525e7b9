namespace Ldvc.Tensors.Serialization;

/// <summary>What a tensor file says about one tensor: its name, its elements' stored type, and its shape (row-major, outermost first).</summary>
public sealed class TensorEntry
{
    /// <summary>Creates an entry whose shape has already been checked: no negative size, and a product that fits a <see cref="long"/>.</summary>
    internal TensorEntry(string name, DType dtype, long[] shape, long elementCount)
    {
        Name = name;
        DType = dtype;
        Shape = shape;
        ElementCount = elementCount;
    }

    /// <summary>The tensor's name, unique in its file.</summary>
    public string Name { get; }

    /// <summary>The type the elements are stored as.</summary>
    public DType DType { get; }

    /// <summary>Sizes, outermost first; empty for a scalar.</summary>
    public long[] Shape { get; }

    /// <summary>The product of <see cref="Shape"/>: 1 for a scalar.</summary>
    public long ElementCount { get; }

    /// <summary>The shape as a tensor's.</summary>
    /// <param name="path">The file's path, for the message.</param>
    /// <exception cref="InputException">A tensor cannot have so many dimensions or elements.</exception>
    internal Shape ToShape(string path)
    {
        const int most = Tensors.Shape.MaxRank;
        return Shape.Length <= most && ElementCount <= int.MaxValue && Array.TrueForAll(Shape, size => size <= int.MaxValue)
            ? new Shape(Array.ConvertAll(Shape, size => (int)size))
            : throw new InputException($"{path}: tensor {this} is too large; expected at most {most} dimensions and fewer than 2^31 elements.");
    }

    /// <summary>Name, type and shape on one line, as error messages show them.</summary>
    public override string ToString() => $"{ArchiveText.Quote(Name)} {DType} {ArchiveText.Shape(Shape)}";
}
