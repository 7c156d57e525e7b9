namespace Ldvc.Tensors.Serialization;

/// <summary>
/// Gives the tensors of an unpickled checkpoint their dotted state-dict names: keys of nested dicts and attributes of TorchScript modules joined by
/// dots. A training checkpoint's wrapper ("state_dict", "model", ...) is looked through, and "module." in front of every name (from data-parallel
/// training) is dropped. Values that are not tensors are passed over.
/// </summary>
internal sealed class TorchNames
{
    private const int MaxDepth = 64;
    private const int MaxValues = 1_000_000;
    private const int MaxNameLength = 1024;
    private static readonly string[] Wrappers = ["state_dict", "model_state_dict", "model"];

    private readonly string _path;
    private readonly Dictionary<string, TorchTensor> _found = new(StringComparer.Ordinal);
    private long _visited;

    private TorchNames(string path)
    {
        _path = path;
    }

    /// <summary>The tensors by name.</summary>
    /// <exception cref="InputException">There are none, a name occurs twice, or the nesting is beyond reason.</exception>
    public static Dictionary<string, TorchTensor> Collect(string path, object? root)
    {
        var names = new TorchNames(path);
        names.Walk(Unwrap(root), "", 0);
        if (names._found.Count == 0)
        {
            throw new InputException($"{path}: expected a checkpoint with named tensors (a state dict or a TorchScript module), found none.");
        }

        const string Parallel = "module.";
        return names._found.Keys.All(name => name.StartsWith(Parallel, StringComparison.Ordinal))
            ? names._found.ToDictionary(pair => pair.Key[Parallel.Length..], pair => pair.Value, StringComparer.Ordinal)
            : names._found;
    }

    private static object? Unwrap(object? root)
    {
        if (root is not PickleDict dict || dict.Pairs.Exists(pair => pair.Value is TorchTensor))
        {
            return root;
        }

        foreach (string wrapper in Wrappers)
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
        if (depth > MaxDepth || _visited > MaxValues || name.Length > MaxNameLength)
        {
            throw new InputException($"{_path}: the checkpoint is nested more than {MaxDepth} deep, or holds more than {MaxValues} values.");
        }

        switch (value)
        {
            case TorchTensor tensor when name.Length > 0:
                if (!_found.TryAdd(name, tensor))
                {
                    throw new InputException($"{_path}: the checkpoint has the tensor {ArchiveText.Quote(name)} twice.");
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

    private void WalkPairs(PickleDict dict, string name, int depth)
    {
        _visited += dict.Pairs.Count;
        foreach ((object? key, object? value) in dict.Pairs)
        {
            string? part = key is long number ? number.ToString(System.Globalization.CultureInfo.InvariantCulture) : key as string;
            if (part is not null && value is TorchTensor or PickleDict or ScriptObject)
            {
                Walk(value, name.Length == 0 ? part! : $"{name}.{part}", depth + 1);
            }
        }
    }
}
