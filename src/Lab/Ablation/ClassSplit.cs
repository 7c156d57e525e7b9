using Ldvc.Data;
using Ldvc.Tensors;

namespace Ldvc.Lab.Ablation;

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
    /// <exception cref="InputException">A file cannot be read, holds no name or one twice, or two files have one name.</exception>
    internal static IReadOnlyList<ClassSplit> Read(string[] files, string source)
    {
        var splits = new List<ClassSplit>();
        foreach (string file in files)
        {
            string name = Path.GetFileNameWithoutExtension(file);
            if (splits.Find(s => s.Name == name) is { } other)
            {
                throw new InputException(
                    $"{source}: ablate.splits: {file} and {files[other.Index]} would both be split '{name}', expected files of different names");
            }

            splits.Add(new ClassSplit(splits.Count, name, file, [.. ClassList.FromFile(file)]));
        }

        return splits;
    }
}
