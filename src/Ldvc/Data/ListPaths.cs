namespace Ldvc.Data;

/// <summary>
/// Lines of lists that pair a picture with its mask: a blank stands between the two, or a sign as in tables. Taken as one path, such a line would be
/// the mask's name.
/// </summary>
internal static class ListPaths
{
    /// <summary>What may stand between two paths, besides white space.</summary>
    internal static readonly char[] Signs = [',', ';', '|', ' ', '\t'];

    /// <summary>Whether a sign may stand between two paths.</summary>
    internal static bool Separates(char c) => char.IsWhiteSpace(c) || Signs.Contains(c);

    /// <summary>A line with paths as Windows writes them, "images\a.jpg", as other systems do.</summary>
    internal static string WithSlashes(string line) => line.Replace('\\', '/');

    /// <summary>The first path or name of a line whose names hold no blanks.</summary>
    internal static string First(string line)
    {
        string first = line.Split((char[]?)null, 2)[0];
        int cut = first.AsSpan().IndexOfAny(Signs);
        return cut > 0 && (IsPath(first[..cut]) || IsPath(first[(cut + 1)..])) ? first[..cut] : first;
    }

    private static bool IsPath(string text) => text.Contains('/', StringComparison.Ordinal) || PictureFiles.HasPictureExtension(text);
}
