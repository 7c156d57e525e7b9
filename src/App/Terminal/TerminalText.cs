using System.Buffers;
using System.Text;

namespace Ldvc.App.Terminal;

/// <summary>
/// Text as a terminal may get it. Names of files and classes, messages of libraries and notes of checkpoints come from strangers, and a terminal
/// obeys what it is sent: control characters move its cursor and change its title, and marks of direction let a name read as another one.
/// </summary>
internal static class TerminalText
{
    // Stands for what is left out.
    private const char Replacement = '?';

    // C0 without the line feed and the tab, DEL and C1; the marks, embeddings, overrides and isolates of direction; line and paragraph separators;
    // halves of pairs.
    private static readonly SearchValues<char> Suspect = SearchValues.Create(
    [
        .. Enumerable.Range(0, 0x20).Where(c => c is not ('\n' or '\t')).Select(c => (char)c),
        .. Enumerable.Range(0x7F, 0x21).Select(c => (char)c),
        '\u061C', '\u200E', '\u200F', '\u2028', '\u2029',
        .. Enumerable.Range(0x202A, 5).Select(c => (char)c),
        .. Enumerable.Range(0x2066, 4).Select(c => (char)c),
        .. Enumerable.Range(0xD800, 0x800).Select(c => (char)c),
    ]);

    /// <summary>
    /// The text on one line: a file's name may hold line breaks, and what follows them would look like a line of the program's own.
    /// </summary>
    internal static string OneLine(string text) =>
        text.AsSpan().IndexOfAny('\n', '\r') < 0 ? text : text.Replace('\n', Replacement).Replace('\r', Replacement);

    /// <summary>
    /// The text with '?' in the place of every such character; itself when there is none. A carriage return before a line feed stays.
    /// </summary>
    internal static string Clean(string text)
    {
        if (text.AsSpan().IndexOfAny(Suspect) < 0)
        {
            return text;
        }

        var clean = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                clean.Append(c).Append(text[++i]);
            }
            else
            {
                bool ends = c == '\r' && i + 1 < text.Length && text[i + 1] == '\n';
                clean.Append(ends || !Suspect.Contains(c) ? c : Replacement);
            }
        }

        return clean.ToString();
    }
}
