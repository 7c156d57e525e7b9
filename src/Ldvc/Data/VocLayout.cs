namespace Ldvc.Data;

/// <summary>Where the files of a data set in PASCAL VOC's layout lie, relative to its folder.</summary>
internal static class VocLayout
{
    /// <summary>The pictures' folder; it tells this layout.</summary>
    internal const string Images = "JPEGImages";

    /// <summary>The masks' folder.</summary>
    internal const string Masks = "SegmentationClass";

    /// <summary>The lists' folder.</summary>
    internal static readonly string Lists = Path.Combine("ImageSets", "Segmentation");
}
