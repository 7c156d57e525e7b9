using System.Text.Json;

namespace Ldvc.Tensors.Serialization;

/// <summary>
/// A model that was cut into several files: NAME.index.json with "weight_map" (tensor to file), and the files beside it. What the list says is
/// compared with what the files hold, so that a missing or exchanged file is known before anything is computed.
/// </summary>
internal sealed class ShardedArchive : TensorArchive
{
    /// <summary>How the list's name ends.</summary>
    internal const string Suffix = ".index.json";

    private const int LargestIndex = 1 << 26;
    private const int MaxFiles = 4096;

    private readonly IReadOnlyDictionary<string, TensorArchive> _owners;
    private readonly IReadOnlyList<TensorArchive> _shards;

    private ShardedArchive(string path, Dictionary<string, TensorArchive> owners, IReadOnlyList<TensorArchive> shards)
        : base(
            path,
            owners.ToDictionary(pair => pair.Key, pair => pair.Value.Entries[pair.Key], StringComparer.Ordinal),
            shards.Count > 0 ? shards[0].Metadata : new Dictionary<string, string>())
    {
        (_owners, _shards) = (owners, shards);
    }

    /// <summary>Opens the list and all its files.</summary>
    /// <exception cref="InputException">The list is damaged, a file is missing or damaged, or the two disagree.</exception>
    internal static ShardedArchive OpenIndex(string path)
    {
        Dictionary<string, string> map = ReadMap(path);
        var shards = new SortedDictionary<string, TensorArchive>(StringComparer.Ordinal);
        try
        {
            var owners = new Dictionary<string, TensorArchive>(StringComparer.Ordinal);
            foreach (string file in FilesOf(path, map))
            {
                TensorArchive shard = ArchiveDetection.Open(ArchiveSource.Open(Beside(path, file)));
                shards.Add(file, shard);
                foreach (string name in shard.Entries.Keys)
                {
                    if (!owners.TryAdd(name, shard))
                    {
                        throw new InputException(
                            $"{shard.Path}: the tensor {ArchiveText.Quote(name)} is also in {owners[name].Path}, expected it in one file.");
                    }
                }
            }

            foreach ((string name, string file) in map)
            {
                if (!shards[file].Entries.ContainsKey(name))
                {
                    throw new InputException(
                        $"{shards[file].Path}: expected the tensor {ArchiveText.Quote(name)} here, as {path} says, but there is none.");
                }
            }

            return new ShardedArchive(path, owners, [.. shards.Values]);
        }
        catch
        {
            foreach (TensorArchive shard in shards.Values)
            {
                shard.Dispose();
            }

            throw;
        }
    }

    /// <summary>The files of a list, in the order of their names.</summary>
    /// <exception cref="InputException">The list is damaged.</exception>
    internal static IReadOnlyList<string> Files(string path) => [.. FilesOf(path, ReadMap(path)).Select(file => Beside(path, file))];

    private protected override uint? ChecksumOf(string name) => _owners[name].ChecksumOfTensor(name);

    private protected override ElementReader OpenElements(TensorEntry entry) => _owners[entry.Name].OpenElementsOf(entry.Name);

    private protected override void Close()
    {
        foreach (TensorArchive shard in _shards)
        {
            shard.Dispose();
        }
    }

    private static IEnumerable<string> FilesOf(string path, Dictionary<string, string> map)
    {
        string[] files = [.. map.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        return files.Length <= MaxFiles ? files : throw new InputException($"{path}: names {files.Length} files, expected at most {MaxFiles}.");
    }

    private static string Beside(string path, string file) => System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path) ?? "", file);

    private static Dictionary<string, string> ReadMap(string path)
    {
        try
        {
            using JsonDocument document = JsonInput.Parse(PlainFile.ReadAll(path, LargestIndex));
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("weight_map", out JsonElement list)
                || list.ValueKind != JsonValueKind.Object)
            {
                throw new InputException($"{path}: expected a list of shards with 'weight_map'.");
            }

            var map = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (JsonProperty property in list.EnumerateObject())
            {
                string? file = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : null;
                if (string.IsNullOrEmpty(file) || file is "." or ".." || file.AsSpan().ContainsAny('/', '\\', '\0')
                    || file.EndsWith(Suffix, StringComparison.Ordinal))
                {
                    throw new InputException(
                        $"{path}: the tensor {ArchiveText.Quote(property.Name)} is said to be in {ArchiveText.Quote(property.Value.ToString())}, "
                            + "expected the name of a file beside the list.");
                }

                map.Add(property.Name, file);
            }

            return map.Count > 0 ? map : throw new InputException($"{path}: 'weight_map' is empty, expected the names of tensors and files.");
        }
        catch (JsonException e)
        {
            throw new InputException($"{path}: not a readable list of shards ({JsonInput.Reason(e)})", e);
        }
    }
}
