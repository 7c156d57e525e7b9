using System.IO.Compression;
using Ldvc.Tensors;

namespace Ldvc.Imaging.Matlab;

/// <summary>
/// The variables of a MATLAB file, version 5 (what MATLAB writes as -v6 and -v7, and scipy.io.savemat): their names, kinds and sizes, and a reader
/// for each.
/// </summary>
internal sealed class MatFile
{
    private const int HeaderBytes = 128;
    private const int MaxVariables = 4096;

    private readonly byte[] _file;
    private readonly string _name;
    private readonly bool _isBigEndian;
    private readonly List<Variable> _variables;

    /// <summary>Reads what stands before each variable.</summary>
    /// <param name="file">The file.</param>
    /// <param name="name">What to call it.</param>
    /// <exception cref="InputException">Damaged, truncated, or of another version.</exception>
    internal MatFile(byte[] file, string name)
    {
        (_file, _name) = (file, name);
        if (file.AsSpan().StartsWith("MATLAB 7.3"u8))
        {
            throw new InputException($"{name}: a MATLAB file of version 7.3 (HDF5), expected one of version 7 or older: save(..., '-v7')");
        }

        // The version and the letters M and I, each as a number of the machine that wrote the file.
        ReadOnlySpan<byte> version = file.Length < HeaderBytes ? [] : file.AsSpan(HeaderBytes - 4, 4);
        _isBigEndian = version.SequenceEqual("\u0001\0MI"u8);
        if (!_isBigEndian && !version.SequenceEqual("\0\u0001IM"u8))
        {
            throw new InputException(file.Length == 0
                ? $"{name}: is empty, expected a MATLAB file"
                : $"{name}: expected a MATLAB file of version 5 to 7.2, as save(FILE, 'X', '-v7') or scipy.io.savemat writes it"
                    + (FileContent.Found(file) is { Length: > 0 } found ? found : ", found another version or format"));
        }

        Limit = 8 * Math.Min(ImageReader.MaxPixels, PixelLimit.Free + (16L * file.Length));
        _variables = Guarded(Walk);
    }

    /// <summary>Whether a file begins as those of this format do.</summary>
    internal static bool Is(ReadOnlySpan<byte> file) => file.StartsWith("MATLAB 5.0"u8) || file.StartsWith("MATLAB 7.3"u8);

    /// <summary>The variables in the file's order; objects of classes and functions are left out.</summary>
    internal IEnumerable<MatArray> Variables => _variables.Select(variable => variable.Array);

    // How many bytes one variable may unfold to.
    private long Limit { get; }

    /// <summary>Reads the content of a variable and sees that it is whole.</summary>
    /// <param name="array">One of <see cref="Variables"/>.</param>
    /// <param name="read">Gets a reader before the content.</param>
    /// <exception cref="InputException">Damaged or truncated.</exception>
    internal T Read<T>(MatArray array, Func<MatReader, T> read)
    {
        Variable variable = _variables.Single(variable => ReferenceEquals(variable.Array, array));
        return Guarded(() =>
        {
            using Stream stream = Open(variable.Offset, variable.Length, variable.IsCompressed);
            (MatReader reader, long size, _) = Begin(stream, variable.Length, variable.IsCompressed);
            T result = read(reader);
            reader.ReadToEnd(size);
            return result;
        });
    }

    private List<Variable> Walk()
    {
        var variables = new List<Variable>();
        int arrays = 0;
        var outer = new MatReader(new MemoryStream(_file, HeaderBytes, _file.Length - HeaderBytes), _isBigEndian, _file.Length, _name);
        for (long at = HeaderBytes; outer.NextTag() is { } tag; at += tag.Stored)
        {
            at += tag.OwnBytes;
            if (at + tag.Bytes > _file.Length)
            {
                throw outer.Truncated();
            }

            if (tag.Type is MatType.Matrix or MatType.Compressed)
            {
                // Unfolding takes its time, also where nothing with a name comes of it.
                if (++arrays > MaxVariables)
                {
                    throw new InputException($"{_name}: expected at most {MaxVariables} variables, found more");
                }

                bool isCompressed = tag.Type == MatType.Compressed;
                using Stream stream = Open((int)at, (int)tag.Bytes, isCompressed);

                // What classes store beside the variables has no name.
                if (Begin(stream, (int)tag.Bytes, isCompressed).Array is { Name.Length: > 0 } array)
                {
                    variables.Add(new Variable(array, (int)at, (int)tag.Bytes, isCompressed));
                }
            }

            outer.Skip(Math.Min(tag.Stored, _file.Length - at));
        }

        return variables;
    }

    private Stream Open(int offset, int length, bool isCompressed)
    {
        var stored = new MemoryStream(_file, offset, length);
        return isCompressed ? new ZLibStream(stored, CompressionMode.Decompress) : stored;
    }

    // What is compressed is an element with its tag.
    private (MatReader Reader, long Size, MatArray? Array) Begin(Stream stream, int length, bool isCompressed)
    {
        var reader = new MatReader(stream, _isBigEndian, Limit, _name);
        MatTag? tag = isCompressed ? reader.NextTag() : new MatTag(MatType.Matrix, length, length, 0);
        return tag is { Type: MatType.Matrix } array
            ? (reader, array.OwnBytes + array.Bytes, MatArray.Read(reader))
            : throw reader.Damaged("expected an array in the compressed part");
    }

    private T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new InputException($"{_name}: damaged MATLAB file, the compressed part cannot be unfolded", e);
        }
    }

    private readonly record struct Variable(MatArray Array, int Offset, int Length, bool IsCompressed);
}
