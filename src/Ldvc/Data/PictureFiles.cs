using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>Finds the pictures of a folder.</summary>
internal static class PictureFiles
{
    // Enough for any data set; a link to a folder around it has no end.
    private const int DeepestFolder = 32;

    /// <summary>Whether the name ends like a picture's.</summary>
    public static bool HasPictureExtension(string path) => Imaging.PictureSources.IsPicture(path);

    /// <summary>Whether the name ends like a mask's.</summary>
    public static bool HasMaskExtension(string path) =>
        HasPictureExtension(path) || path.EndsWith(LabelFile.MatlabExtension, StringComparison.OrdinalIgnoreCase);

    /// <summary>File paths by name without extension, in ordinal order of the names.</summary>
    /// <exception cref="InputException">The folder is missing, or two pictures differ in their extension only.</exception>
    public static SortedDictionary<string, string> In(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new InputException($"{folder}: folder not found, expected pictures in it");
        }

        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string path in Names(folder).Where(path => HasPictureExtension(path) && Path.GetFileName(path)[0] != '.'))
        {
            RefuseBadName(folder, Path.GetFileName(path));
            string id = Path.GetFileNameWithoutExtension(path);
            if (!files.TryAdd(id, path))
            {
                throw new InputException(
                    $"{folder}: two pictures are named '{id}' ({Path.GetFileName(files[id])} and {Path.GetFileName(path)}), expected different "
                        + "names");
            }
        }

        return files;
    }

    /// <summary>
    /// File paths of a folder and its sub-folders by name: the path below the folder, with slashes, without extension or <paramref name="suffix"/>.
    /// What begins with a dot is left out, as are files that end in <paramref name="except"/>.
    /// </summary>
    /// <exception cref="InputException">The folder is missing, or two pictures have one name.</exception>
    public static SortedDictionary<string, string> Under(string folder, string? suffix, string? except)
    {
        if (!Directory.Exists(folder))
        {
            throw new InputException($"{folder}: folder not found, expected pictures in it");
        }

        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Walk(folder, "", 0);
        return files;

        void Walk(string place, string prefix, int depth)
        {
            if (depth > DeepestFolder)
            {
                throw new InputException($"{place}: expected at most {DeepestFolder} levels of folders (does one link to a folder around it?)");
            }

            foreach (string path in Names(place))
            {
                string name = Path.GetFileName(path);
                bool wanted = suffix is null
                    ? HasPictureExtension(name)
                    : name.EndsWith(suffix, StringComparison.Ordinal) && name.Length > suffix.Length;
                if (!wanted || name[0] == '.' || (except is not null && name.EndsWith(except, StringComparison.Ordinal)))
                {
                    continue;
                }

                RefuseBadName(place, name);
                string id = prefix + (suffix is null ? Path.GetFileNameWithoutExtension(name) : name[..^suffix.Length]);
                if (!files.TryAdd(id, path))
                {
                    throw new InputException(
                        $"{place}: two pictures are named '{id}' ({Path.GetFileName(files[id])} and {name}), expected different names");
                }
            }

            foreach (string inner in Names(place, folders: true).Where(inner => Path.GetFileName(inner)[0] != '.'))
            {
                RefuseBadName(place, Path.GetFileName(inner));
                Walk(inner, prefix + Path.GetFileName(inner) + "/", depth + 1);
            }
        }
    }

    /// <summary>Pictures of a folder and its sub-folders in formats that are not read.</summary>
    public static IEnumerable<string> OfOtherFormats(string folder)
    {
        foreach (string path in Directory.Exists(folder) ? Names(folder) : [])
        {
            if (Imaging.PictureSources.IsOfOtherFormat(path) && Path.GetFileName(path)[0] != '.')
            {
                yield return path;
            }
        }

        foreach (string path in Directory.Exists(folder) ? Names(folder, folders: true).Where(inner => Path.GetFileName(inner)[0] != '.') : [])
        {
            foreach (string inner in OfOtherFormats(path))
            {
                yield return inner;
            }
        }
    }

    /// <summary>
    /// The end of a sentence about a missing file: one beside it that is called so but for its ending, or upper and lower case, or what follows the
    /// name. Empty when there is none.
    /// </summary>
    public static string Near(string path)
    {
        string folder = Path.GetDirectoryName(path) ?? "", stem = Path.GetFileNameWithoutExtension(path);
        string[] names = Directory.Exists(folder) ? [.. Names(folder).Select(other => Path.GetFileName(other)).Order(StringComparer.Ordinal)] : [];
        string? near = Array.Find(names, other => stem.Equals(Path.GetFileNameWithoutExtension(other), StringComparison.OrdinalIgnoreCase));
        string? longer = near ?? Array.Find(names, other => IsLonger(other, stem));
        return longer is null ? "" : $"; there is {longer}" + (near is null ? " (data.mask_suffix says what follows a picture's name)" : "");
    }

    /// <summary>The end of a sentence about a folder without a picture: a file that it has. Empty when there is none.</summary>
    public static string Instead(string folder)
    {
        if (OfOtherFormats(folder).FirstOrDefault() is { } other)
        {
            return $"; there is {other}, in a format that is not read: convert such files to PNG, JPEG, WebP, BMP or GIF";
        }

        string? any = Names(folder).Where(path => Path.GetFileName(path)[0] != '.').Order(StringComparer.Ordinal).FirstOrDefault();
        return any is null ? "" : $"; there is {any}";
    }

    // "a_mask.png" and "a.jpg.png" of a, not "a1.png".
    private static bool IsLonger(string name, string stem) =>
        stem.Length > 0 && name.Length > stem.Length && name.StartsWith(stem, StringComparison.OrdinalIgnoreCase)
            && !char.IsLetterOrDigit(name[stem.Length]);

    // A name whose bytes are not UTF-8 is read with U+FFFD in it, and no file has that name. One with a line break stands in no list.
    private static void RefuseBadName(string folder, string name)
    {
        if (name.AsSpan().IndexOfAny('\n', '\r') >= 0)
        {
            throw new InputException($"{folder}: expected file names on one line, found {Configuration.ConfigText.Quote(name)} with a line break");
        }

        if (name.Contains('\uFFFD', StringComparison.Ordinal))
        {
            throw new InputException($"{folder}: expected file names in UTF-8, found {Configuration.ConfigText.Quote(name)} with bytes that are not");
        }
    }

    private static string[] Names(string folder, bool folders = false)
    {
        try
        {
            return folders ? Directory.GetDirectories(folder) : Directory.GetFiles(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{folder}: cannot be read ({e.Message})", e);
        }
    }
}
