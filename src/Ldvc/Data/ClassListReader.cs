using System.Text.RegularExpressions;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>Lists of classes as people write them: one a line in a file, or separated by commas on one line.</summary>
internal static partial class ClassListReader
{
    private const char Comment = '#';

    // The first line of labelme's lists: no class, but what the program calls the number -1.
    internal const string LabelMeIgnored = "__ignore__";

    // The comma as other keyboards have it: full-width and ideographic (Chinese, Japanese), Arabic. It is part of no name.
    private static readonly char[] Separators = [',', '\uFF0C', '\u3001', '\u060C'];

    /// <summary>Reads a file, one class a line.</summary>
    /// <param name="path">The file.</param>
    /// <param name="numbered">Whether lines are label values, so that an empty one between two names would shift all that follow.</param>
    public static ClassList File(string path, bool numbered) => Lines(InputFile.ReadAllLines(path, "the names of the classes"), path, numbered);

    /// <summary>Reads a line with commas.</summary>
    public static ClassList Line(string text, string source)
    {
        string[] parts = text.Split(Separators, ClassList.Max + 1);
        ListMarks.Refuse([.. parts.Select(part => part.Trim()).Where(part => part.Length > 0)], source);

        // What is wrong inside a name comes first: "a\n,b" has no empty name.
        ClassName[] classes = [.. parts.Where(part => NameSpelling.Normalize(part, source).Length > 0).Select(part => ClassName.Parse(part, source))];
        return classes.Length == parts.Length
            ? ClassList.Of(WithoutIgnored(classes, source), source)
            : throw new InputException($"{source}: expected class names separated by commas, found {ConfigText.Quote(text)}.");
    }

    /// <summary>Reads a text field: one class a line, and then a name may hold commas; or all on one line.</summary>
    public static ClassList Text(string text, string source)
    {
        // An uploaded file may begin with a byte order mark.
        string[] lines = text.TrimStart('\uFEFF').ReplaceLineEndings("\n").Split('\n');
        return lines.Count(line => line.Trim().Length > 0) > 1
            ? Lines(lines, source, numbered: false)
            : Line(text.TrimStart('\uFEFF').Trim(), source);
    }

    /// <summary>A line of a list up to its comment, trimmed.</summary>
    internal static string WithoutComment(string line) => (CommentIn(line) is >= 0 and var at ? line[..at] : line).Trim();

    // Of HTML's signs those with numbers hold the letter, too: "bull&#39;s eye".
    private static int CommentIn(string line)
    {
        int at = line.IndexOf(Comment, StringComparison.Ordinal);
        while (at > 0 && line[at - 1] == '&' && NumberedSign().IsMatch(line, at - 1))
        {
            at = line.IndexOf(Comment, at + 1);
        }

        return at;
    }

    [GeneratedRegex(@"\G&#([0-9]{1,7}|[xX][0-9a-fA-F]{1,6});", RegexOptions.CultureInvariant)]
    private static partial Regex NumberedSign();

    private static ClassList Lines(IReadOnlyList<string> lines, string source, bool numbered)
    {
        ListMarks.Refuse([.. lines.Select(WithoutComment).Where(line => line.Length > 0)], source);
        var classes = new List<ClassName>();
        int empty = 0;
        for (int i = 0; i < lines.Count; i++)
        {
            string place = $"{source}, line {i + 1}", name = lines[i];
            bool commented = CommentIn(name) >= 0;
            name = WithoutComment(name);
            if (name.Length > 0)
            {
                classes.Add(ClassName.Parse(name, place));
                if (classes.Count > ClassList.Max)
                {
                    break;
                }

                if (numbered && empty > 0)
                {
                    throw new InputException(
                        $"{source}, line {empty}: is empty, and names follow; names stand for the labels 0, 1, 2 and so on here, "
                        + "so expected a name (or a comment, # and text, where no label is meant)");
                }
            }
            else if (!commented && empty == 0)
            {
                empty = i + 1;
            }
        }

        // Where lines are label values, every name would stand one too far down besides: the message of FolderClasses says so.
        return ClassList.Of(numbered ? classes : WithoutIgnored(classes, source), source);
    }

    // A name that pixels may look like as well as any other.
    private static IReadOnlyList<ClassName> WithoutIgnored(IReadOnlyList<ClassName> classes, string source) =>
        classes.Count > 0 && classes[0].Name == LabelMeIgnored
            ? throw new InputException(
                $"{source}: the first name is {ConfigText.Quote(LabelMeIgnored)}, which labelme gives to no class; expected the list without it.")
            : classes;
}
