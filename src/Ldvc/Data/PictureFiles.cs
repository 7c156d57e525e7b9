using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>Finds the pictures of a folder.</summary>
internal static class PictureFiles
{
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"];

    /// <summary>Whether the name ends like a picture's.</summary>
    public static bool HasPictureExtension(string path) => Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>File paths by name without extension, in ordinal order of the names.</summary>
    /// <exception cref="InputException">The folder is missing, or two pictures differ in their extension only.</exception>
    public static SortedDictionary<string, string> In(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new InputException($"{folder}: folder not found, expected pictures in it");
        }

        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string path in Names(folder).Where(HasPictureExtension))
        {
            string id = Path.GetFileNameWithoutExtension(path);
            if (!files.TryAdd(id, path))
            {
                throw new InputException(
                    $"{folder}: two pictures are named '{id}' ({Path.GetFileName(files[id])} and {Path.GetFileName(path)}), expected different names");
            }
        }

        return files;
    }

    private static string[] Names(string folder)
    {
        try
        {
            return Directory.GetFiles(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{folder}: cannot be read ({e.Message})", e);
        }
    }
}
