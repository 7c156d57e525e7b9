using System.Buffers.Binary;
using System.Numerics;

namespace Ldvc.Tensors.Serialization;

/// <summary>
/// The plain format of torch.save before version 1.6: five pickles one after another (a magic number, a version, facts about the writing machine, the
/// objects, the storages' keys in order), then each storage as its element count and its bytes.
/// </summary>
internal static class TorchLegacy
{
    private const int MaxKeys = 1_000_000;

    // 0x1950a86a20f9469cfc6c; the name of the format, so to speak.
    private static readonly BigInteger Magic = BigInteger.Parse(
        "01950a86a20f9469cfc6c", System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The unpickled root, the file offset of every storage, and the length of the pickles in front of them.</summary>
    public static (object? Root, Dictionary<string, long> StorageOffsets, long PickleBytes) Read(ArchiveSource source)
    {
        var objects = new TorchObjects(source.Path, source.Length);
        var input = new PickleStream(source, 0, source.Length);
        object? Next() => new PickleMachine(input, objects).Run();

        if (Next() is not BigInteger magic || magic != Magic || Next() is not 1001L)
        {
            throw new InputException($"{source.Path}: expected a PyTorch checkpoint of format 1001, got another pickle.");
        }

        if (Next() is not PickleDict facts || facts.Find("little_endian") is not true)
        {
            throw new InputException($"{source.Path}: expected a checkpoint in little-endian byte order, got another.");
        }

        object? root = Next();
        if (Next() is not List<object?> { Count: <= MaxKeys } keys)
        {
            throw new InputException($"{source.Path}: expected the list of storages after the checkpoint's objects, got something else.");
        }

        return (root, Locate(source, objects, keys, input.Position), input.Position);
    }

    private static Dictionary<string, long> Locate(ArchiveSource source, TorchObjects objects, List<object?> keys, long position)
    {
        var offsets = new Dictionary<string, long>(StringComparer.Ordinal);
        Span<byte> count = stackalloc byte[8];
        foreach (object? item in keys)
        {
            if (item is not string key || !objects.Storages.TryGetValue(key, out TorchStorage? storage) || !offsets.TryAdd(key, position + 8))
            {
                throw new InputException($"{source.Path}: the list of storages names one that no tensor uses, or one twice.");
            }

            source.Read(position, count);
            long stored = BinaryPrimitives.ReadInt64LittleEndian(count);
            if (stored != storage.Count || storage.Bytes > source.Length - position - 8)
            {
                throw new InputException(
                    $"{source.Path}: truncated or damaged: storage {ArchiveText.Quote(key)} should hold {storage.Count} elements, the file "
                    + $"says {stored} and has {source.Length - position - 8} bytes left.");
            }

            position += 8 + storage.Bytes;
        }

        return offsets.Count == objects.Storages.Count
            ? offsets
            : throw new InputException($"{source.Path}: {objects.Storages.Count - offsets.Count} storages are missing from the file's list.");
    }
}
