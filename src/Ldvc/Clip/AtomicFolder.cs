using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Clip;

/// <summary>Writes a folder so that its name shows nothing or the whole: into a hidden sibling first, which is then renamed.</summary>
internal static class AtomicFolder
{
    /// <summary>Makes <paramref name="path"/> with the files that <paramref name="write"/> puts into the folder it is given.</summary>
    /// <exception cref="InputException">There is a file or a folder with content already, the parent is missing, or nothing can be written
    /// there.</exception>
    internal static void Write(string path, Action<string> write)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        Check(path);
        string temporary = AtomicFiles.TemporaryName(full);
        bool moved = false;
        try
        {
            Directory.CreateDirectory(temporary);
            write(temporary);
            if (Directory.Exists(full))
            {
                // Fails when something was put there in the meantime.
                Directory.Delete(full);
            }

            OutputFile.MoveFolder(temporary, full);
            moved = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: cannot be written ({e.Message})", e);
        }
        catch (InputException e) when (e.Message.Contains(temporary, StringComparison.Ordinal))
        {
            // What is wrong with a file in it is said with the name that it was to get.
            throw new InputException(e.Message.Replace(temporary, path, StringComparison.Ordinal), e);
        }
        finally
        {
            if (!moved)
            {
                RemoveQuietly(temporary);
            }
        }
    }

    /// <summary>Says early what <see cref="Write"/> would refuse.</summary>
    /// <exception cref="InputException">As there.</exception>
    internal static void Check(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (FileKind.DeadLink(full) is { } target)
        {
            throw new InputException(
                $"{path}: is a link to {target}, which is not there; expected a folder to write, which must not exist yet or be empty.");
        }

        if (File.Exists(full))
        {
            throw new InputException($"{path}: is a file; expected a folder to write, which must not exist yet or be empty.");
        }

        try
        {
            if (Directory.Exists(full) && Directory.EnumerateFileSystemEntries(full).Any())
            {
                throw new InputException($"{path}: is a folder with something in it; expected one that does not exist yet or is empty.");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: cannot be written ({e.Message})", e);
        }

        string? parent = Path.GetDirectoryName(full);
        if (parent is not null && !Directory.Exists(parent))
        {
            throw new InputException($"{path}: the folder {parent} does not exist.");
        }
    }

    private static void RemoveQuietly(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The failure that brought us here is the one to report.
        }
    }
}
