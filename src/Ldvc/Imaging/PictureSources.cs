using System.IO.Enumeration;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Imaging;

/// <summary>
/// Files, folders and patterns -> pictures. A folder gives all pictures below it, its sub-folders' too; a pattern has * and ? in names and ** for any
/// number of folders. What lies below the folder of results is left out, so a folder can hold its own results.
/// </summary>
internal static class PictureSources
{
    // What the decoders read, by all names that it has: .jfif and .jpe are JPEGs (browsers on Windows save such), .apng is a PNG, .dib a BMP.
    private static readonly string[] s_extensions = [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".bmp", ".dib", ".gif"];

    // Pictures that people have and that are not read: who names a folder expects them among the results.
    private static readonly string[] s_others =
    [
        ".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".psd", ".ppm", ".tga",
        ".svg", ".exr",
    ];

    /// <summary>Lists the pictures in the order of the arguments, those of one argument by name.</summary>
    /// <param name="arguments">Files, folders and patterns.</param>
    /// <param name="results">The folder of results.</param>
    /// <param name="others">Gets the pictures of folders that are of formats that are not read; null = nobody asks.</param>
    /// <exception cref="InputException">A folder or pattern has no picture, or cannot be read.</exception>
    public static List<PictureSource> Find(IEnumerable<string> arguments, string results, ICollection<string>? others = null)
    {
        string own = Path.TrimEndingDirectorySeparator(Path.GetFullPath(results)) + Path.DirectorySeparatorChar;
        var found = new List<PictureSource>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (string argument in arguments)
        {
            PictureSource[] these;
            try
            {
                IEnumerable<PictureSource> listed = Directory.Exists(argument) ? OfFolder(argument)
                    : !File.Exists(argument) && argument.AsSpan().IndexOfAny('*', '?') >= 0 ? OfPattern(argument)
                    : [new PictureSource(argument, Path.GetFileNameWithoutExtension(argument))];
                these = [.. listed.OrderBy(p => p.Path, StringComparer.Ordinal)];
                if (others is not null && Directory.Exists(argument))
                {
                    AddOthers(argument, own, others);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new InputException($"{argument}: cannot be read ({e.Message})", e);
            }

            bool single = these is [{ Path: var path }] && path == argument;
            int before = found.Count, below = 0;
            foreach (var picture in these)
            {
                string full = Path.GetFullPath(picture.Path);
                if (!single && full.StartsWith(own, StringComparison.Ordinal))
                {
                    below++;
                    continue;
                }

                // A picture that two arguments name is labelled once.
                if (known.Add(full))
                {
                    found.Add(picture);
                }
                else
                {
                    before--;
                }
            }

            if (found.Count == before)
            {
                string nothing = Directory.Exists(argument) ? "a folder without any" : "no file that fits the pattern";
                throw new InputException(below > 0
                    ? $"{argument}: its {below} pictures lie below the folder of results, {results}, and are left out as such; expected another "
                        + "--out."
                    : $"{argument}: expected pictures ({string.Join(", ", s_extensions)}), found {nothing}.");
            }
        }

        return found;
    }

    /// <summary>Whether a file is called like a picture of a format that is read, in upper or lower case.</summary>
    internal static bool IsPicture(string path) => s_extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a file is called like a picture of a format that is not read.</summary>
    internal static bool IsOfOtherFormat(string path) => s_others.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    private static void AddOthers(string folder, string own, ICollection<string> others)
    {
        foreach (string path in Files(folder, recursive: true).Where(
            path => IsOfOtherFormat(path) && !Path.GetFullPath(path).StartsWith(own, StringComparison.Ordinal)))
        {
            others.Add(path);
        }
    }

    private static IEnumerable<PictureSource> OfFolder(string folder) =>
        Files(folder, recursive: true).Where(IsPicture).Select(path => new PictureSource(path, Below(folder, path)));

    private static IEnumerable<PictureSource> OfPattern(string pattern)
    {
        string[] parts = pattern.Split('/', Path.DirectorySeparatorChar);
        int plain = Array.FindIndex(parts, part => part.AsSpan().IndexOfAny('*', '?') >= 0);
        string root = string.Join('/', parts[..plain]);
        root = root.Length == 0 ? (pattern.StartsWith('/') ? "/" : ".") : root;
        if (!Directory.Exists(root))
        {
            return [];
        }

        return Match(root, parts[plain..]).Distinct(StringComparer.Ordinal).Select(path => new PictureSource(path, Below(root, path)));
    }

    // Files below a folder whose path fits the parts of a pattern.
    private static IEnumerable<string> Match(string folder, string[] parts)
    {
        if (parts is ["**"])
        {
            return Files(folder, recursive: true).Where(IsPicture);
        }

        if (parts[0] == "**")
        {
            return Match(folder, parts[1..]).Concat(Folders(folder).SelectMany(child => Match(child, parts)));
        }

        return parts.Length == 1
            ? Files(folder, recursive: false).Where(path => Fits(parts[0], path) && IsPicture(path))
            : parts[0].AsSpan().IndexOfAny('*', '?') < 0
                ? Directory.Exists(Path.Combine(folder, parts[0])) ? Match(Path.Combine(folder, parts[0]), parts[1..]) : []
                : Folders(folder).Where(path => Fits(parts[0], path)).SelectMany(child => Match(child, parts[1..]));
    }

    private static bool Fits(string pattern, string path) =>
        FileSystemName.MatchesSimpleExpression(pattern, Path.GetFileName(path), ignoreCase: false);

    private static IEnumerable<string> Folders(string folder) =>
        new DirectoryInfo(folder).EnumerateDirectories().Where(IsPlain).Select(
            child => Path.Combine(folder, child.Name)).Order(StringComparer.Ordinal);

    // Links to files are followed; links to folders are not, since they may lead back.
    private static IEnumerable<string> Files(string folder, bool recursive)
    {
        IEnumerable<string> here = new DirectoryInfo(folder).EnumerateFiles().Where(file => !IsHidden(file)).Select(
            file => Path.Combine(folder, file.Name));
        return recursive ? here.Concat(Folders(folder).SelectMany(child => Files(child, true))) : here;
    }

    private static bool IsPlain(DirectoryInfo folder) => !IsHidden(folder) && folder.LinkTarget is null;

    private static bool IsHidden(FileSystemInfo entry) =>
        entry.Name.StartsWith('.') || (OperatingSystem.IsWindows() && (entry.Attributes & FileAttributes.Hidden) != 0);

    private static string Below(string root, string path)
    {
        string relative = Path.GetRelativePath(root, path).Replace(Path.DirectorySeparatorChar, '/');
        return relative[..^Path.GetExtension(relative).Length];
    }
}
