using Ldvc.Tensors;

namespace Ldvc.Ablation;

/// <summary>One choice of the unseen classes (option ablate.splits).</summary>
/// <param name="Index">Its place in the list.</param>
/// <param name="Name">The file's name without its ending: the runs' folders are called by it.</param>
/// <param name="File">The file.</param>
/// <param name="Unseen">Names of the unseen classes; all others are seen.</param>
internal sealed record ClassSplit(int Index, string Name, string File, string[] Unseen)
{
    /// <summary>Reads the files, a class name on every line; empty lines do not count.</summary>
    /// <param name="files">ablate.splits.</param>
    /// <param name="source">The configuration, for messages.</param>
    /// <exception cref="InputException">A file cannot be read or holds no name, or two files have one name.</exception>
    internal static IReadOnlyList<ClassSplit> Read(string[] files, string source)
    {
        var splits = new List<ClassSplit>();
        foreach (string file in files)
        {
            string name = Path.GetFileNameWithoutExtension(file);
            if (splits.Find(s => s.Name == name) is { } other)
            {
                throw new InputException($"{source}: ablate.splits: {file} and {files[other.Index]} would both be split '{name}', expected files of different names");
            }

            splits.Add(new ClassSplit(splits.Count, name, file, Names(file, source)));
        }

        return splits;
    }

    private static string[] Names(string file, string source)
    {
        string[] lines;
        try
        {
            lines = System.IO.File.ReadAllLines(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InputException($"{source}: ablate.splits: {file}: expected a file with the name of an unseen class on every line, cannot read it ({e.Message})", e);
        }

        string[] names = [.. lines.Select(l => l.Trim()).Where(l => l.Length > 0)];
        return names.Length > 0 ? names : throw new InputException($"{source}: ablate.splits: {file}: expected the name of an unseen class on every line, found none");
    }
}
