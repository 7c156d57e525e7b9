using System.Collections;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>Class names in train-id order. At most 255 (ids are bytes and 255 means "ignored"), none empty, no two equal up to case.</summary>
public sealed class ClassList : IReadOnlyList<string>
{
    private readonly string[] _names;
    private readonly Dictionary<string, int> _ids = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Takes the names in order; <paramref name="source"/> (a file or a data set) stands in messages.</summary>
    /// <exception cref="InputException">No names, too many, an empty one, or one twice.</exception>
    public ClassList(IEnumerable<string> names, string source)
    {
        _names = [.. names.Select(n => n.Trim())];
        if (_names.Length is 0 or > 255)
        {
            throw new InputException($"{source}: {_names.Length} class names, expected 1 to 255");
        }

        for (int i = 0; i < _names.Length; i++)
        {
            if (_names[i].Length == 0)
            {
                throw new InputException($"{source}: class name {i} is empty, expected a name");
            }

            if (!_ids.TryAdd(_names[i], i))
            {
                throw new InputException($"{source}: class name '{_names[i]}' stands twice (as class {_ids[_names[i]]} and {i}), expected different names");
            }
        }
    }

    /// <summary>Number of classes.</summary>
    public int Count => _names.Length;

    /// <summary>The name of a train id.</summary>
    public string this[int id] => _names[id];

    /// <summary>One name per line; empty lines are skipped.</summary>
    /// <exception cref="InputException">The file is missing, or as for the constructor.</exception>
    public static ClassList FromFile(string path) => new(InputFile.ReadLines(path, "the names of the classes"), path);

    /// <summary>The train id of a name, or -1.</summary>
    public int IndexOf(string name) => _ids.GetValueOrDefault(name.Trim(), -1);

    /// <summary>The train ids of names that must all be classes.</summary>
    /// <exception cref="InputException">A name is not in the list.</exception>
    public int[] IndicesOf(IEnumerable<string> names, string source) =>
    [
        .. names.Select(n => IndexOf(n) is >= 0 and var id ? id : throw new InputException($"{source}: '{n}' is not a class, expected names out of the {Count} classes")),
    ];

    /// <inheritdoc/>
    public IEnumerator<string> GetEnumerator() => ((IEnumerable<string>)_names).GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
