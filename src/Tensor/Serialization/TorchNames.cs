namespace Ldvc.Tensors.Serialization;

/// <summary>
/// Gives the tensors of an unpickled checkpoint their dotted state-dict names: keys of nested dicts and names in modules joined by dots. A training
/// checkpoint's wrapper ("state_dict", "model", ...) is looked through, and "module." and "_orig_mod." in front of every name (from data-parallel
/// training and torch.compile) are dropped. Values that are not tensors are passed over.
/// </summary>
internal sealed class TorchNames
{
    private const int MaxDepth = 64;
    private const int MaxValues = 1_000_000;
    private const int MaxNameLength = 1024;

    // A tensor takes at least some forty bytes of a pickle, and its name stands in it, up to the parts that many share. References to what was made
    // once would otherwise make of a few bytes as many tensors and names as there is memory for.
    private const int FreeTensors = 1000;
    private const int BytesPerTensor = 16;
    private const long FreeCharacters = 1 << 16;
    private const int CharactersPerByte = 4;
    private const int MaxSharing = 16;
    private static readonly string[] Wrappers = ["state_dict", "model_state_dict", "model"];

    // No part of a model is called so: these are looked through also where a tensor lies beside them, as a random generator's state does.
    private static readonly string[] SureWrappers = ["state_dict", "model_state_dict"];

    // Data-parallel training and torch.compile put these in front of every name.
    private static readonly string[] Prefixes = ["module.", "_orig_mod."];

    private readonly string _path;
    private readonly Dictionary<string, TorchTensor> _found = new(StringComparer.Ordinal);
    private readonly long _bytes;
    private long _visited;
    private long _characters;

    private TorchNames(string path, long bytes) => (_path, _bytes) = (path, bytes);

    /// <summary>The tensors by name.</summary>
    /// <param name="source">The file.</param>
    /// <param name="root">The checkpoint.</param>
    /// <param name="bytes">Length of its pickle.</param>
    /// <exception cref="InputException">There are none, a name occurs twice, or nesting or numbers are beyond reason.</exception>
    public static Dictionary<string, TorchTensor> Collect(ArchiveSource source, object? root, long bytes)
    {
        string path = source.Path;
        var names = new TorchNames(path, bytes);
        names.Walk(Unwrap(root), "", 0);
        if (names._found.Count == 0)
        {
            throw new InputException($"{path}: expected a checkpoint with named tensors (a state dict or a TorchScript module), found none.");
        }

        // Weights are shared by a few tensors at most; a thousand views of one storage would be read a thousand times.
        long views = names._found.Values.Sum(tensor => tensor.Extent);
        if (views > (MaxSharing * source.Length) + (FreeTensors * sizeof(long)))
        {
            throw new InputException(
                $"{path}: the tensors span {views} bytes, the file has {source.Length}; expected storages that few tensors share.");
        }

        return WithoutPrefixes(names._found);
    }

    // One may be inside of the other.
    private static Dictionary<string, TorchTensor> WithoutPrefixes(Dictionary<string, TorchTensor> found)
    {
        string? prefix = Array.Find(
            Prefixes, one => found.Keys.All(name => name.StartsWith(one, StringComparison.Ordinal) && name.Length > one.Length));
        return prefix is null
            ? found
            : WithoutPrefixes(found.ToDictionary(pair => pair.Key[prefix.Length..], pair => pair.Value, StringComparer.Ordinal));
    }

    private static object? Unwrap(object? root)
    {
        if (root is not PickleDict dict)
        {
            return root;
        }

        foreach (string wrapper in dict.Pairs.Exists(pair => pair.Value is TorchTensor) ? SureWrappers : Wrappers)
        {
            if (dict.Find(wrapper) is PickleDict or ScriptObject)
            {
                return dict.Find(wrapper);
            }
        }

        return root;
    }

    private void Walk(object? value, string name, int depth)
    {
        // Shared and circular references make a small pickle a huge tree: depth and the number of values seen are both bounded.
        if (depth > MaxDepth || _visited > MaxValues)
        {
            throw new InputException($"{_path}: the checkpoint is nested more than {MaxDepth} deep, or holds more than {MaxValues} values.");
        }

        switch (value)
        {
            case TorchTensor tensor when name.Length > 0:
                _characters += name.Length;
                if (_found.Count >= FreeTensors + (_bytes / BytesPerTensor) || _characters > FreeCharacters + (CharactersPerByte * _bytes))
                {
                    throw new InputException(
                        $"{_path}: a pickle of {_bytes} bytes names more than {_found.Count} tensors with {_characters} characters, expected fewer.");
                }

                if (!_found.TryAdd(name, tensor))
                {
                    throw new InputException($"{_path}: the checkpoint has the tensor {ArchiveText.Quote(name)} twice.");
                }

                break;
            case PickleObject instance:
                // All attributes are looked through for the parts, by each of the references to the object.
                _visited += instance.Attributes?.Pairs.Count ?? 0;
                WalkPairs(instance, name, depth);
                HashSet<string>? unsaved = Names(instance.Unsaved);
                foreach (PickleDict part in instance.Parts)
                {
                    WalkPairs(part, name, depth, unsaved);
                }

                break;
            case PickleDict dict:
                WalkPairs(dict, name, depth);
                break;
            case ScriptObject script:
                WalkPairs(script.Attributes, name, depth);
                break;
        }
    }

    // A buffer shares its name with no other part of its module.
    private HashSet<string>? Names(PickleSet? set)
    {
        _visited += set?.Members.Count ?? 0;
        return set?.Members.OfType<string>().Where(name => name.Length <= MaxNameLength).ToHashSet(StringComparer.Ordinal);
    }

    private void WalkPairs(PickleDict dict, string name, int depth, HashSet<string>? without = null)
    {
        _visited += dict.Pairs.Count;
        foreach ((object? key, object? value) in dict.Pairs)
        {
            string? part = key is long number ? number.ToString(System.Globalization.CultureInfo.InvariantCulture) : key as string;
            if (part is not null && value is TorchTensor or PickleDict or ScriptObject && without?.Contains(part) != true)
            {
                // Before the name is put together: a part may have a megabyte.
                RefuseLong(name.Length + part!.Length);
                Walk(value, name.Length == 0 ? part! : $"{name}.{part}", depth + 1);
            }
        }
    }

    private void RefuseLong(int length)
    {
        if (length > MaxNameLength)
        {
            throw new InputException($"{_path}: the checkpoint has a name of {length} characters, expected at most {MaxNameLength}.");
        }
    }
}
