using Ldvc.Tensors;

namespace Ldvc.Imaging;

/// <summary>Folders that results go to.</summary>
internal static class OutputFolder
{
    /// <summary>Makes sure that a folder is there, with those above it.</summary>
    /// <exception cref="InputException">A file is in its place, or the place cannot be written to.</exception>
    internal static void Create(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new InputException($"{folder}: cannot be created ({e.Message})", e);
        }
    }
}
