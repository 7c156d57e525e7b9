using System.Net;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// A class: the name that it is shown by, and other names of the same thing. As text they stand in one line with semicolons between: "person; man;
/// woman".
/// </summary>
public sealed record ClassName
{
    // The semicolon, also as Chinese, Japanese and Arabic keyboards have it.
    private static readonly char[] Separators = [';', '\uFF1B', '\u061B'];

    private readonly string[] _names;

    private ClassName(string[] names) => _names = names;

    /// <summary>The name that results show, and the one that training encodes.</summary>
    public string Name => _names[0];

    /// <summary>Other names of the class, perhaps none. At inference the one that fits a pixel best counts.</summary>
    public IReadOnlyList<string> Synonyms => _names[1..];

    /// <summary>The name, then its synonyms.</summary>
    internal IReadOnlyList<string> All => _names;

    /// <summary>
    /// Reads "name; synonym; synonym". White space is trimmed and collapsed to single blanks; a synonym that stands twice counts once. HTML's signs
    /// are decoded: "R&amp;amp;D" is R&amp;D.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="source">Where it stood, for messages.</param>
    /// <exception cref="InputException">A name is empty, holds a line break or another control character, or is not well-formed Unicode.</exception>
    public static ClassName Parse(string text, string source)
    {
        ArgumentNullException.ThrowIfNull(text);

        // The semicolon of HTML's signs separates nothing: "R&amp;D" is a name. The text encoder would decode them, too.
        text = WebUtility.HtmlDecode(WebUtility.HtmlDecode(text));
        string[] parts = text.Split(Separators);
        var names = new List<string>(parts.Length);
        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (string part in parts)
        {
            string name = NameSpelling.Normalize(part, source);
            if (name.Length == 0)
            {
                throw new InputException(parts.Length == 1
                    ? $"{source}: the class name is empty, expected a name"
                    : $"{source}: expected a name before and after every semicolon, found {ConfigText.Quote(text.Trim())}");
            }

            string key = NameSpelling.Key(name);
            if (WordSplitter.HasEnd(key))
            {
                throw new InputException(
                    $"{source}: expected a name of words, found {ConfigText.Quote(name)}, which would end the text for the text encoder");
            }

            if (keys.Add(key))
            {
                names.Add(name);
            }
        }

        return new ClassName([.. names]);
    }

    /// <summary>Classes with the same names in the same order are equal.</summary>
    public bool Equals(ClassName? other) => other is not null && _names.AsSpan().SequenceEqual(other._names);

    /// <inheritdoc/>
    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <summary>"person; man; woman": what <see cref="Parse"/> reads.</summary>
    public override string ToString() => string.Join("; ", _names);
}
