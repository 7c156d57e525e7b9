namespace Ldvc.Tensors.Serialization;

/// <summary>Reads a tensor whose elements are not in row-major order (a saved transpose or slice): loads its extent once, then gathers.</summary>
internal sealed class StridedReader
{
    private readonly TorchTensor _tensor;
    private readonly byte[] _extent;

    /// <summary>Loads the bytes from the tensor's first to its last element.</summary>
    /// <exception cref="InputException">They exceed what one array can hold.</exception>
    public StridedReader(ArchiveSource source, long start, TorchTensor tensor)
    {
        _tensor = tensor;
        long bytes = tensor.Extent;
        if (bytes > Array.MaxLength)
        {
            throw new InputException(
                $"{source.Path}: a strided tensor {ArchiveText.Shape(tensor.Shape)} spans {bytes} bytes, expected at most {Array.MaxLength}.");
        }

        _extent = new byte[bytes];
        source.Read(start, _extent);
    }

    /// <summary>Whether the elements lie in row-major order without gaps (the stride of a size-1 axis does not matter).</summary>
    public static bool IsContiguous(TorchTensor tensor)
    {
        long expected = 1;
        for (int i = tensor.Shape.Length - 1; i >= 0; i--)
        {
            if (tensor.Shape[i] != 1 && tensor.Strides[i] != expected)
            {
                return false;
            }

            expected *= tensor.Shape[i];
        }

        return true;
    }

    /// <summary>Gathers the stored elements from a row-major index on.</summary>
    public void Read(long firstElement, Span<byte> destination)
    {
        int rank = _tensor.Shape.Length;
        long[] index = new long[rank];
        long position = 0;
        for (int i = rank - 1; i >= 0; i--)
        {
            (firstElement, index[i]) = Math.DivRem(firstElement, _tensor.Shape[i]);
            position += index[i] * _tensor.Strides[i];
        }

        int size = _tensor.Type.Size();
        for (int at = 0; at < destination.Length; at += size)
        {
            _extent.AsSpan((int)(position * size), size).CopyTo(destination[at..]);
            for (int i = rank - 1; i >= 0; i--)
            {
                position += _tensor.Strides[i];
                if (++index[i] < _tensor.Shape[i])
                {
                    break;
                }

                position -= index[i] * _tensor.Strides[i];
                index[i] = 0;
            }
        }
    }
}
