using Ldvc.Configuration;

namespace Ldvc.Data;

/// <summary>Where the pictures, masks and lists of one part of a user's own data lie (options data.images to data.mask_suffix).</summary>
internal sealed class FolderLayout
{
    private const string PartMark = "{part}";

    /// <summary>Takes the data set's folder, the part's name and section data.</summary>
    public FolderLayout(string root, string part, DataConfig data)
    {
        bool voc = data.Images is null && !Directory.Exists(Path.Combine(root, "images")) && Directory.Exists(Path.Combine(root, VocLayout.Images));
        Root = root;
        Part = part;
        Images = Path.Combine(root, Named(data.Images ?? (voc ? VocLayout.Images : "images"), part));
        Masks = Path.Combine(root, Named(data.Masks ?? (voc ? VocLayout.Masks : "masks"), part));
        ImageSuffix = data.ImageSuffix;
        MaskSuffix = data.MaskSuffix ?? ".png";
        IsZeroByLayout = data.ZeroIsIgnored is null && voc && data.Values.Length == 0;
        ZeroIsIgnored = data.ZeroIsIgnored ?? IsZeroByLayout;
        Lists = voc ? Path.Combine(root, VocLayout.Lists) : root;
        HasFolderOfPart = data.Images?.Contains(PartMark, StringComparison.Ordinal) == true;
        MasksAmongPictures = Path.GetFullPath(Images) == Path.GetFullPath(Masks);
    }

    /// <summary>data.root.</summary>
    public string Root { get; }

    /// <summary>The part's name.</summary>
    public string Part { get; }

    /// <summary>The pictures' folder.</summary>
    public string Images { get; }

    /// <summary>The masks' folder.</summary>
    public string Masks { get; }

    /// <summary>How names of pictures end; null = any picture's extension.</summary>
    public string? ImageSuffix { get; }

    /// <summary>What follows a picture's name in its mask's.</summary>
    public string MaskSuffix { get; }

    /// <summary>Whether 0 is no label.</summary>
    public bool ZeroIsIgnored { get; }

    /// <summary>Whether that is so as PASCAL VOC's masks have it, and no option says so.</summary>
    public bool IsZeroByLayout { get; }

    /// <summary>Whether the part has a folder of its own.</summary>
    public bool HasFolderOfPart { get; }

    /// <summary>
    /// Whether pictures lie in a folder with the part's name, which neither an option nor a list says: all pictures would be of every part.
    /// </summary>
    public bool HasUntoldPart => Part != "all" && !HasFolderOfPart && !IsListed && Directory.Exists(Path.Combine(Images, Part));

    /// <summary>Whether pictures and masks lie in one folder.</summary>
    public bool MasksAmongPictures { get; }

    /// <summary>The part's list of pictures; it need not exist.</summary>
    public string List => Path.Combine(Lists, Part + ".txt");

    /// <summary>Whether the part is given by a list: not "all", not a folder of its own without one, and not data without any lists.</summary>
    public bool IsListed => Part != "all" && (File.Exists(List) || !(HasFolderOfPart || (Part is "train" or "val" && !HasLists)));

    private string Lists { get; }

    private bool HasLists => File.Exists(Path.Combine(Lists, "train.txt")) || File.Exists(Path.Combine(Lists, "val.txt"));

    /// <summary>The mask of a picture that no list pairs with one.</summary>
    public string MaskOf(string id) => Path.Combine(Masks, id + MaskSuffix);

    private static string Named(string folder, string part) => folder.Replace(PartMark, part, StringComparison.Ordinal);
}
