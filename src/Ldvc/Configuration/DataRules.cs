namespace Ldvc.Configuration;

/// <summary>
/// Which options of section data go together. What is meant for other masks than those that are read would be ignored without a word.
/// </summary>
internal static class DataRules
{
    /// <summary>Checks; <paramref name="fail"/> gets the dotted key and "expected ..., found ..." and does not return.</summary>
    public static void Check(DataConfig data, Action<string, string> fail)
    {
        foreach (string key in FolderOnly(data))
        {
            if (data.Kind != DataKind.Folder)
            {
                fail("data." + key, "expected data.kind: folder beside it (the other kinds know their own layout and labels), found "
                    + $"{ConfigWriter.EnumName(data.Kind)}");
            }
        }

        if (data.Kind == DataKind.Synthetic && data.Ignore.Length > 0)
        {
            fail("data.ignore", "expected a data.kind whose masks are files, found synthetic");
        }

        CheckMeanings(data, fail);
        CheckPlaces(data, fail);
    }

    // Two statements about what a stored value means could contradict each other.
    private static void CheckMeanings(DataConfig data, Action<string, string> fail)
    {
        if (data.Colors is not null && (data.Values.Length > 0 || data.ZeroIsIgnored == true || data.Ignore.Length > 0))
        {
            string other = data.Values.Length > 0 ? "data.values" : data.ZeroIsIgnored == true ? "data.zero_is_ignored" : "data.ignore";
            fail("data.colors", $"expected no {other} beside it (masks hold colours, which the file gives a meaning, or numbers), found both");
        }

        if (data.Values.Length > 0 && data.ZeroIsIgnored == true)
        {
            fail("data.zero_is_ignored", "expected false beside data.values, which says what every number means, found true");
        }

        foreach (KeyValuePair<int, string> entry in data.Values)
        {
            if (data.Ignore.Contains(entry.Key))
            {
                fail(
                    "data.ignore",
                    $"expected values that data.values gives no class, found {entry.Key}, which is {ConfigText.Quote(entry.Value)} there");
            }
        }
    }

    private static void CheckPlaces(DataConfig data, Action<string, string> fail)
    {
        foreach ((string key, string? place) in new[] { ("data.images", data.Images), ("data.masks", data.Masks) })
        {
            if (place?.IndexOfAny(['*', '?']) >= 0)
            {
                fail(key, "expected a folder (its sub-folders are read, too; how file names end is data.image_suffix and data.mask_suffix), found "
                    + $"{ConfigText.Quote(place)}");
            }
        }

        foreach ((string key, string? suffix) in new[] { ("data.image_suffix", data.ImageSuffix), ("data.mask_suffix", data.MaskSuffix) })
        {
            if (suffix?.IndexOfAny(['*', '?', '/', '\\']) >= 0)
            {
                fail(key, $"expected the end of a file name, such as _leftImg8bit.png, found {ConfigText.Quote(suffix)}");
            }
        }

        if (data.Images is not null && data.Images.TrimEnd('/') == data.Masks?.TrimEnd('/') && data.MaskSuffix is null)
        {
            fail("data.mask_suffix", "expected what tells masks from pictures, as data.images and data.masks are one folder, found nothing");
        }

        if (data.Images is not null && data.Images.TrimEnd('/') == data.Masks?.TrimEnd('/') && data.ImageSuffix is not null
            && data.ImageSuffix == data.MaskSuffix)
        {
            fail(
                "data.mask_suffix",
                $"expected another one than data.image_suffix in the same folder, found {ConfigText.Quote(data.ImageSuffix)} for both");
        }
    }

    private static IEnumerable<string> FolderOnly(DataConfig data)
    {
        (string Key, bool Set)[] options =
        [
            ("classes", data.Classes.Length > 0), ("zero_is_ignored", data.ZeroIsIgnored == true), ("values", data.Values.Length > 0),
            ("colors", data.Colors is not null),
            ("images", data.Images is not null),
            ("masks", data.Masks is not null),
            ("image_suffix", data.ImageSuffix is not null),
            ("mask_suffix", data.MaskSuffix is not null),
        ];
        return options.Where(option => option.Set).Select(option => option.Key);
    }
}
