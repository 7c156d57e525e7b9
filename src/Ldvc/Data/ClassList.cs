using System.Collections;
using Ldvc.Configuration;
using Ldvc.Kernels.Labels;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// Classes in the order of their numbers, each with a name and perhaps synonyms. As a list of texts it holds the names alone. No two names or
/// synonyms are the same up to case and white space. Lists read from a file, a command line or a page all come through here.
/// </summary>
public sealed class ClassList : IReadOnlyList<string>
{
    /// <summary>The largest number of classes: labels have at most 16 bits, and 65535 means "no label".</summary>
    internal const int Max = ushort.MaxValue;

    /// <summary>The largest number of classes whose labels are bytes; 255 means "no label".</summary>
    internal const int MaxInBytes = LabelWidth.MaxInBytes;

    private readonly ClassName[] _classes;
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);

    /// <summary>Takes the classes in order, each as "name" or "name; synonym; synonym".</summary>
    /// <param name="names">The classes.</param>
    /// <param name="source">A file, an option or a data set, for messages.</param>
    /// <exception cref="InputException">No names, too many, an empty or damaged one, or one twice.</exception>
    public ClassList(IEnumerable<string> names, string source)
        : this([.. Given(names).Take(Max + 1).Select((name, i) => ClassName.Parse(
            name ?? throw new ArgumentNullException(nameof(names), $"{source}: class {i}: expected a name, got null"),
            $"{source}: class {i}"))], source)
    {
    }

    private ClassList(ClassName[] classes, string source)
    {
        _classes = classes;
        if (classes.Length is 0 or > Max)
        {
            throw new InputException($"{source}: {(classes.Length > Max ? "at least " : "")}{classes.Length} class names, expected 1 to {Max}");
        }

        var texts = new List<string>(classes.Length);
        var owners = new List<int>(classes.Length);
        for (int i = 0; i < classes.Length; i++)
        {
            foreach (string name in classes[i].All)
            {
                string key = NameSpelling.Key(name);
                if (!_ids.TryAdd(key, i))
                {
                    throw new InputException(
                        $"{source}: class name {ConfigText.Quote(name)} stands twice (as class {_ids[key]} and {i}), expected different names");
                }

                texts.Add(name);
                owners.Add(i);
            }
        }

        (Texts, Owners) = ([.. texts], [.. owners]);
    }

    /// <summary>Number of classes.</summary>
    public int Count => _classes.Length;

    /// <summary>The classes with their synonyms.</summary>
    public IReadOnlyList<ClassName> Classes => _classes;

    /// <summary>Every name and synonym, class after class: what a model is asked for.</summary>
    internal string[] Texts { get; }

    /// <summary>The class of every text.</summary>
    internal int[] Owners { get; }

    /// <summary>The name of a train id.</summary>
    public string this[int id] => _classes[id].Name;

    /// <summary>
    /// One class a line, "name" or "name; synonym; synonym"; a comma belongs to the name, # starts a comment, empty lines are skipped.
    /// </summary>
    /// <exception cref="InputException">The file is missing or not UTF-8, or as for the constructor; the message names the line.</exception>
    public static ClassList FromFile(string path) => ClassListReader.File(path, numbered: false);

    /// <summary>As <see cref="FromFile"/>, for lists whose lines are label values: an empty line between two names is an error.</summary>
    /// <exception cref="InputException">As above, or there is such a line.</exception>
    internal static ClassList FromLabelFile(string path) => ClassListReader.File(path, numbered: true);

    /// <summary>Classes on one line, separated by commas, synonyms by semicolons.</summary>
    /// <exception cref="InputException">As for the constructor.</exception>
    internal static ClassList FromLine(string text, string source) => ClassListReader.Line(text, source);

    /// <summary>As <see cref="FromLine"/>, or one class a line where there is a line break, as in a file.</summary>
    /// <exception cref="InputException">As for the constructor.</exception>
    internal static ClassList FromText(string text, string source) => ClassListReader.Text(text, source);

    /// <summary>Takes classes that were read one by one.</summary>
    internal static ClassList Of(IEnumerable<ClassName> classes, string source) => new([.. classes], source);

    /// <summary>The train id of a name or synonym, or -1.</summary>
    public int IndexOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _ids.GetValueOrDefault(NameSpelling.Key(name), -1);
    }

    /// <summary>The train ids of names that must all be classes.</summary>
    /// <exception cref="InputException">A name is not in the list.</exception>
    public int[] IndicesOf(IEnumerable<string> names, string source) =>
    [
        .. names.Select(n => IndexOf(n) is >= 0 and var id ? id : throw new InputException($"{source}: '{n}' is not a class, expected names out of "
            + $"the {Count} classes")),
    ];

    /// <inheritdoc/>
    public IEnumerator<string> GetEnumerator() => _classes.Select(c => c.Name).GetEnumerator();

    private static IEnumerable<string?> Given(IEnumerable<string?> names) => names ?? throw new ArgumentNullException(nameof(names));

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
