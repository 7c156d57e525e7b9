using System.Security.Cryptography;
using System.Text;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Tensors;
using PlainFile = Ldvc.Tensors.Serialization.PlainFile;

namespace Ldvc.Lab.Synthetic;

/// <summary>
/// Writes synthetic data sets in the layout of PASCAL VOC, which <see cref="Data.FolderDataset"/> and other programs read: JPEGImages/ID.jpg,
/// SegmentationClass/ID.png (8-bit palette PNG; the stored number is the class's line in classes.txt, counted from 1, and 0 is no label; the names
/// are in the file, too), ImageSets/Segmentation/PART.txt with the IDs of a part, classes.txt, seen.txt, unseen.txt, and SHA256SUMS over all of it.
/// </summary>
internal static class SceneFolder
{
    private const string ClassesFile = "classes.txt";
    private const int JpegQuality = 95;

    /// <summary>Writes the parts of one data set into a folder, which is created; files of an earlier call are replaced.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="parts">For example the training and the validation part.</param>
    /// <param name="progress">Told the number of pictures written after each; it may throw to stop.</param>
    /// <exception cref="InputException">The folder cannot be written to, or holds something else.</exception>
    public static void Write(string folder, IReadOnlyList<SceneDataset> parts, Action<int>? progress = null)
    {
        SceneDataset first = parts[0];
        (string Name, byte[] Content)[] lists =
        [
            (ClassesFile, Text(first.Classes)), ("seen.txt", Text(first.Classes.Take(first.SeenCount))),
            ("unseen.txt", Text(first.Classes.Skip(first.SeenCount))),
        ];
        RefuseOthers(folder, lists);
        var sums = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in new[] { VocLayout.Images, VocLayout.Masks, VocLayout.Lists })
        {
            OutputFolder.Create(Path.Combine(folder, name));
        }

        void Save(string name, byte[] content)
        {
            AtomicFile.WriteAllBytes(Path.Combine(folder, name), content);
            sums[name.Replace(Path.DirectorySeparatorChar, '/')] = Convert.ToHexStringLower(SHA256.HashData(content));
        }

        string[] names = ["no label", .. first.Classes];
        foreach ((string name, byte[] content) in lists)
        {
            Save(name, content);
        }

        int done = 0;
        foreach (SceneDataset part in parts)
        {
            string[] ids = [.. Enumerable.Range(0, part.Count).Select(part.GetId)];
            for (int i = 0; i < part.Count; i++)
            {
                (RgbImage image, LabelMap labels) = part.Read(i);
                Save(Path.Combine(VocLayout.Images, ids[i] + ".jpg"), ImageWriter.EncodeJpeg(image, JpegQuality));
                Save(Path.Combine(VocLayout.Masks, ids[i] + ".png"), LabelWriter.Encode(FromOne(labels), LabelPalette.Voc, names));
                progress?.Invoke(++done);
            }

            // Last, so that a list never names a picture that is not there.
            Save(Path.Combine(VocLayout.Lists, part.Split + ".txt"), Text(ids));
        }

        AtomicFile.WriteAllBytes(
            Path.Combine(folder, "SHA256SUMS"), Encoding.UTF8.GetBytes(string.Concat(sums.Select(s => $"{s.Value}  {s.Key}\n"))));
    }

    private static byte[] Text(IEnumerable<string> lines) => Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n");

    // The lists of classes are the same for every seed and number of pictures, and are written first: where they are, the folder is an earlier
    // call's, whole or not. Anybody else's data would lose its own, and would be read with names that are not its.
    private static void RefuseOthers(string folder, (string Name, byte[] Content)[] lists)
    {
        if (!Directory.Exists(folder) || !HasFiles(folder))
        {
            return;
        }

        if (!File.Exists(Path.Combine(folder, ClassesFile)))
        {
            throw new InputException($"{folder}: expected an empty folder, or one with drawn scenes from before, found other files");
        }

        foreach ((string name, byte[] content) in lists)
        {
            string path = Path.Combine(folder, name);
            if (File.Exists(path) && !PlainFile.ReadStart(path, content.Length + 1).AsSpan().SequenceEqual(content))
            {
                throw new InputException($"{path}: is there already, and is not the drawn scenes' list; expected an empty folder");
            }
        }
    }

    private static bool HasFiles(string folder)
    {
        try
        {
            return Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Any(path => Path.GetFileName(path)[0] != '.');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{folder}: cannot be read ({e.Message})", e);
        }
    }

    private static LabelMap FromOne(LabelMap labels) =>
        new(labels.Width, labels.Height, [.. labels.Labels.Select(l => l == LabelMap.Ignore ? (byte)0 : (byte)(l + 1))]);
}
