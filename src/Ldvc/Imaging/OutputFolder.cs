using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Imaging;

/// <summary>Folders that results go to.</summary>
internal static class OutputFolder
{
    /// <summary>
    /// Says before anything is computed what <see cref="Create"/>, or writing into the folder, would say after. Nothing is made.
    /// </summary>
    /// <param name="folder">The folder; it need not be there.</param>
    /// <exception cref="InputException">A file is in its place, or files cannot be written there.</exception>
    internal static void Check(string folder)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        for (string? place = full; place is not null; place = Path.GetDirectoryName(place))
        {
            if (File.Exists(place))
            {
                string what = place == full ? "it" : place;
                string found = FileKind.DeadLink(place) is { } target ? $"a link to {target}, which is not there" : "a file";
                throw new InputException($"{folder}: cannot be created ({what} is {found}), expected a folder for the results");
            }

            if (Directory.Exists(place))
            {
                Probe(folder, place);
                return;
            }
        }
    }

    private static void Probe(string folder, string place)
    {
        try
        {
            AtomicFiles.Probe(Path.Combine(place, $"{Guid.NewGuid():N}"));
        }
        catch (InputException e)
        {
            // The name of the file that was tried, which the system adds, says nothing to anybody.
            string why = e.InnerException is UnauthorizedAccessException
                ? $"access to {place} is denied"
                : (e.InnerException ?? e).Message.Split(" : '")[0];
            throw new InputException($"{folder}: cannot be written ({why})", e);
        }
    }

    /// <summary>Makes sure that a folder is there, with those above it.</summary>
    /// <exception cref="InputException">A file is in its place, or the place cannot be written to.</exception>
    internal static void Create(string folder)
    {
        if (!Directory.Exists(folder))
        {
            Check(folder);
        }

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
