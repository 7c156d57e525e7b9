using System.Security.Cryptography;
using System.Text;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Tensors;

namespace Ldvc.Lab.Synthetic;

/// <summary>
/// Writes synthetic data sets in the layout of PASCAL VOC, which <see cref="Data.FolderDataset"/> and other programs read: JPEGImages/ID.jpg,
/// SegmentationClass/ID.png (8-bit palette PNG; the stored number is the class's line in classes.txt, counted from 1, and 0 is no label; the names
/// are in the file, too), ImageSets/Segmentation/PART.txt with the IDs of a part, classes.txt, seen.txt, unseen.txt, and SHA256SUMS over all of it.
/// </summary>
internal static class SceneFolder
{
    private const int JpegQuality = 95;

    /// <summary>Writes the parts of one data set into a folder, which is created; existing files of the same names are replaced.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="parts">For example the training and the validation part.</param>
    /// <param name="progress">Told the number of pictures written after each; it may throw to stop.</param>
    /// <exception cref="InputException">The folder cannot be written to.</exception>
    public static void Write(string folder, IReadOnlyList<SceneDataset> parts, Action<int>? progress = null)
    {
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

        void Lines(string name, IEnumerable<string> lines) => Save(name, Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"));

        SceneDataset first = parts[0];
        string[] names = ["no label", .. first.Classes];
        Lines("classes.txt", first.Classes);
        Lines("seen.txt", first.Classes.Take(first.SeenCount));
        Lines("unseen.txt", first.Classes.Skip(first.SeenCount));
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
            Lines(Path.Combine(VocLayout.Lists, part.Split + ".txt"), ids);
        }

        AtomicFile.WriteAllBytes(
            Path.Combine(folder, "SHA256SUMS"), Encoding.UTF8.GetBytes(string.Concat(sums.Select(s => $"{s.Value}  {s.Key}\n"))));
    }

    private static LabelMap FromOne(LabelMap labels) =>
        new(labels.Width, labels.Height, [.. labels.Labels.Select(l => l == LabelMap.Ignore ? (byte)0 : (byte)(l + 1))]);
}
