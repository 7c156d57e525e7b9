using System.Text;

namespace Ldvc.Tensors.Serialization;

/// <summary>
/// PyTorch's zip layout: NAME/data.pkl holds the objects, NAME/data/KEY one storage each, NAME/byteorder (newer files) how they were written.
/// TorchScript archives have the same and code besides, which is not looked at.
/// </summary>
internal static class TorchZip
{
    private const long LargestPickle = 1 << 26;

    /// <summary>The unpickled root, the file offset of every storage, the names of the TorchScript classes, and the pickle's length.</summary>
    public static (object? Root, Dictionary<string, long> StorageOffsets, IReadOnlyCollection<string> Classes, long PickleBytes) Read(
        ArchiveSource source)
    {
        ZipDirectory zip = ZipDirectory.Read(source);
        string prefix = Prefix(zip, source.Path);
        CheckByteOrder(source, zip, prefix);
        (long start, long length) = zip.Locate(prefix + "data.pkl");
        if (length > LargestPickle)
        {
            throw new InputException($"{source.Path}: data.pkl has {length} bytes, expected at most {LargestPickle}.");
        }

        var objects = new TorchObjects(source.Path, length);
        object? root = new PickleMachine(new PickleStream(source, start, start + length), objects).Run();
        return (root, Locate(source.Path, zip, prefix, objects, source.Length), objects.Classes, length);
    }

    private static Dictionary<string, long> Locate(string path, ZipDirectory zip, string prefix, TorchObjects objects, long fileLength)
    {
        var offsets = new Dictionary<string, long>(StringComparer.Ordinal);
        long total = 0;
        foreach (TorchStorage storage in objects.Storages.Values)
        {
            (long offset, long length) = zip.Locate($"{prefix}data/{storage.Key}");
            if (length != storage.Bytes)
            {
                throw new InputException(
                    $"{path}: storage {ArchiveText.Quote(storage.Key)} has {length} bytes, the checkpoint's pickle says {storage.Bytes}.");
            }

            offsets.Add(storage.Key, offset);
            total += length;
        }

        // Entries that share bytes would make a small file pose as a large one.
        return total <= fileLength ? offsets : throw new InputException($"{path}: the storages claim {total} bytes, the file has {fileLength}.");
    }

    private static string Prefix(ZipDirectory zip, string path)
    {
        // At the top, or in one folder: IndexOf gives -1 or the only slash.
        string[] pickles = [.. zip.Names.Where(name => name[(name.IndexOf('/') + 1)..] == "data.pkl").Take(2)];
        return pickles.Length == 1
            ? pickles[0][..^"data.pkl".Length]
            : throw new InputException($"{path}: expected a PyTorch archive with one data.pkl, found {(pickles.Length == 0 ? "none" : "several")}.");
    }

    private static void CheckByteOrder(ArchiveSource source, ZipDirectory zip, string prefix)
    {
        if (!zip.Contains(prefix + "byteorder"))
        {
            return;
        }

        (long offset, long length) = zip.Locate(prefix + "byteorder");
        Span<byte> order = stackalloc byte[(int)Math.Min(length, 16)];
        source.Read(offset, order);
        if (Encoding.ASCII.GetString(order) != "little")
        {
            throw new InputException($"{source.Path}: expected a checkpoint in little-endian byte order, got another.");
        }
    }
}
