using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Synthetic;

/// <summary>
/// Writes synthetic data sets in the layout that <see cref="Data.FolderDataset"/> and other programs read: images/ID.png, masks/ID.png (8-bit palette
/// PNG, the stored number is the class, 255 background), PART.txt with the IDs of a part, classes.txt (label id = line number from 0), seen.txt and
/// unseen.txt.
/// </summary>
internal static class SceneFolder
{
    /// <summary>Writes the parts into a folder, which is created; existing files of the same names are replaced.</summary>
    /// <exception cref="InputException">The folder cannot be written to.</exception>
    public static void Write(string folder, params IEnumerable<SceneDataset> parts)
    {
        string images = Path.Combine(folder, "images");
        string masks = Path.Combine(folder, "masks");
        try
        {
            Directory.CreateDirectory(images);
            Directory.CreateDirectory(masks);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{folder}: cannot be created ({e.Message})", e);
        }

        WriteLines(Path.Combine(folder, "classes.txt"), TaskClasses.Names);
        WriteLines(Path.Combine(folder, "seen.txt"), TaskClasses.SeenNames);
        WriteLines(Path.Combine(folder, "unseen.txt"), TaskClasses.UnseenNames);
        foreach (SceneDataset part in parts)
        {
            string[] ids = [.. Enumerable.Range(0, part.Count).Select(part.GetId)];
            for (int i = 0; i < part.Count; i++)
            {
                (RgbImage image, LabelMap labels) = part.Read(i);
                ImageWriter.WritePng(image, Path.Combine(images, ids[i] + ".png"));
                PngLabels.Write(labels, Path.Combine(masks, ids[i] + ".png"), LabelPalette.Bright);
            }

            // Last, so that a list never names a picture that is not there.
            WriteLines(Path.Combine(folder, part.Split + ".txt"), ids);
        }
    }

    private static void WriteLines(string path, string[] lines) =>
        AtomicFile.WriteAllBytes(path, System.Text.Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"));
}
