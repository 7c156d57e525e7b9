namespace Ldvc.Data;

/// <summary>
/// SBD, the Semantic Boundaries Dataset (Hariharan et al., ICCV 2011), as it is unpacked: masks of VOC's classes for more of VOC's pictures, in
/// cls/ID.mat, and the lists train.txt and val.txt.
/// </summary>
/// <param name="Root">The folder that holds them.</param>
internal sealed record SbdFolder(string Root)
{
    /// <summary>
    /// Where it is looked for: beside VOC2012 or inside of it, beside VOCdevkit; as mmsegmentation calls it, and as its archive does.
    /// </summary>
    internal const string Places = "VOCaug/dataset or benchmark_RELEASE/dataset, in or beside VOC2012 or VOCdevkit";

    private const string Masks = "cls";

    private static readonly string[] s_names = ["VOCaug", "benchmark_RELEASE"];

    /// <summary>Its lists of pictures.</summary>
    internal IReadOnlyList<string> Lists => [Path.Combine(Root, "train.txt"), Path.Combine(Root, "val.txt")];

    /// <summary>Finds it.</summary>
    /// <param name="voc">The folder VOC2012.</param>
    internal static SbdFolder? Near(string voc)
    {
        string? place = Path.GetFullPath(voc);
        for (int levels = 0; levels < 3 && place is not null; levels++, place = Path.GetDirectoryName(place))
        {
            string folder = place;
            string? found = s_names.Select(name => Path.Combine(folder, name, "dataset"))
                .FirstOrDefault(dataset => Directory.Exists(Path.Combine(dataset, Masks)));
            if (found is not null)
            {
                return new SbdFolder(found);
            }
        }

        return null;
    }

    /// <summary>The mask of a picture; it need not exist.</summary>
    internal string MaskOf(string id) => Path.Combine(Root, Masks, id + LabelFile.MatlabExtension);
}
