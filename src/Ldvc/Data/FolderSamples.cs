using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>A picture of a user's own data: its name, its file, its mask's file.</summary>
internal readonly record struct FolderSample(string Id, string Image, string Mask);

/// <summary>Finds the pictures of a part and their masks: all of a folder, or those that a list names.</summary>
internal sealed class FolderSamples
{
    private readonly FolderLayout _layout;
    private readonly SortedDictionary<string, string> _files;
    private readonly ILookup<string, string> _byLastName;
    private readonly ILookup<string, string> _byComposedName;

    private FolderSamples(FolderLayout layout)
    {
        _layout = layout;

        // A list of paths may name pictures anywhere.
        _files = layout.IsListed && !Directory.Exists(layout.Images) && File.Exists(layout.List)
            ? []
            : PictureFiles.Under(layout.Images, layout.ImageSuffix, layout.MasksAmongPictures ? layout.MaskSuffix : null);
        _byComposedName = _files.Keys.Where(HasAccents).ToLookup(AccentComposition.Compose, StringComparer.Ordinal);
        _byLastName = _files.Keys.ToLookup(id => id[(id.LastIndexOf('/') + 1)..], StringComparer.Ordinal);
    }

    /// <summary>The samples in order, and the list or folder they come from.</summary>
    /// <exception cref="InputException">A folder or list is missing, or a line of the list is no picture; the message names the line.</exception>
    public static (IReadOnlyList<FolderSample> Samples, string Source) Find(FolderLayout layout)
    {
        if (layout.HasUntoldPart)
        {
            throw new InputException(
                $"{layout.Images}: has a folder '{layout.Part}', but no {layout.List} and no {{part}} in data.images says that these are its "
                    + "pictures; expected for example data.images: images/{part} and data.masks: masks/{part}, or data.train_part: all and "
                    + "data.val_part: all for all pictures in both");
        }

        var samples = new FolderSamples(layout);
        if (!layout.IsListed && samples._files.Count == 0)
        {
            throw new InputException($"{layout.Images}: expected at least one picture, found none{PictureFiles.Instead(layout.Images)}");
        }

        return layout.IsListed
            ? (samples.Listed(), layout.List)
            : ([.. samples._files.Select(file => new FolderSample(file.Key, file.Value, layout.MaskOf(file.Key)))], layout.Images);
    }

    private List<FolderSample> Listed()
    {
        var samples = new List<FolderSample>();
        List<string> lines = InputFile.ReadAllLines(_layout.List, "the pictures of this part");
        for (int i = 0; i < lines.Count; i++)
        {
            if (lines[i].Trim() is { Length: > 0 } line)
            {
                samples.Add(Parse(line, $"{_layout.List}, line {i + 1}"));
            }
        }

        return samples;
    }

    // As written; else as a list that was made on Windows.
    private FolderSample Parse(string line, string place)
    {
        if (Find(line, place, out InputException? failure) is { } sample)
        {
            return sample;
        }

        string slashes = ListPaths.WithSlashes(line);
        return (slashes == line ? null : Find(slashes, place, out _)) ?? throw failure!;
    }

    // A name may hold blanks and commas, so the whole line is tried first; then each of them as the one between picture and mask. A path that no
    // file has counts by its last name, but not when it is a pair: "/images/A.png /masks/x.png" is not picture x.
    private FolderSample? Find(string line, string place, out InputException? failure)
    {
        failure = null;
        if (Exact(line) is { } whole)
        {
            return whole;
        }

        string? noMask = null;
        for (int i = 1; i < line.Length - 1; i++)
        {
            if (!ListPaths.Separates(line[i]) || ListPaths.Separates(line[i - 1]))
            {
                continue;
            }

            string left = line[..i], right = line[i..].TrimStart(ListPaths.Signs).Trim();
            if ((Exact(left) ?? Moved(left) ?? ByLastName(left, place)) is { } picture)
            {
                if (MaskFile(right) is { } mask)
                {
                    return picture with { Mask = mask };
                }

                noMask = right;
            }
            else if (PictureFiles.HasPictureExtension(left) && PictureFiles.HasMaskExtension(right))
            {
                failure = NotFound(left, place);
                return null;
            }
        }

        if (noMask is not null)
        {
            failure = new InputException($"{place}: mask {ConfigText.Quote(noMask)} not found, expected it in {_layout.Root} or {_layout.Masks}");
            return null;
        }

        FolderSample? found = ByLastName(line, place);
        failure = found is null ? NotFound(line, place) : null;
        return found;
    }

    private InputException NotFound(string name, string place) => Directory.Exists(_layout.Images)
        ? new($"{place}: picture {ConfigText.Quote(name)} not found, expected it in {_layout.Images}")
        : new($"{_layout.Images}: folder not found, expected pictures in it, as {_layout.List} names {ConfigText.Quote(name)}");

    // By its name, with or without what follows it, or by a path from the data set's folder or the root of the disk.
    private FolderSample? Exact(string text)
    {
        foreach (string name in new[] { text, NameOf(text), NameOf(Relative(text)) })
        {
            if (_files.TryGetValue(name, out string? path))
            {
                return new FolderSample(name, path, _layout.MaskOf(name));
            }

            // macOS writes a letter and its accent as two characters, other systems mostly as one.
            if (HasAccents(name) && _byComposedName[AccentComposition.Compose(name)].Take(2).ToArray() is [var only])
            {
                return new FolderSample(only, _files[only], _layout.MaskOf(only));
            }
        }

        return Existing(text, PictureFiles.HasPictureExtension, _layout.Root, _layout.Images) is { } file ? SampleOf(file) : null;
    }

    private FolderSample SampleOf(string file)
    {
        // A file among the pictures has its name there, from wherever the list points at it.
        string below = Path.GetRelativePath(_layout.Images, file).Replace('\\', '/');
        string id = NameOf(below.StartsWith("../", StringComparison.Ordinal) ? Path.GetRelativePath(_layout.Root, file).Replace('\\', '/') : below);
        return new FolderSample(id, file, _layout.MaskOf(id));
    }

    private FolderSample? ByLastName(string text, string place)
    {
        string name = NameOf(text);
        string[] ids = [.. _byLastName[name[(name.LastIndexOf('/') + 1)..]]];
        return ids.Length switch
        {
            0 => null,
            1 => new FolderSample(ids[0], _files[ids[0]], _layout.MaskOf(ids[0])),
            _ => throw new InputException($"{place}: {ConfigText.Quote(text)} may be picture '{ids[0]}' or '{ids[1]}', expected a path that tells"),
        };
    }

    private FolderSample? Moved(string text) => MovedFile(text, PictureFiles.HasPictureExtension) is { } file ? SampleOf(file) : null;

    private string? MaskFile(string text) =>
        Existing(text, PictureFiles.HasMaskExtension, _layout.Root, _layout.Masks) ?? MovedFile(text, PictureFiles.HasMaskExtension);

    // A leading slash is the data set's folder in lists as VOC's and Cityscapes' are written.
    private static string? Existing(string text, Func<string, bool> isWanted, params string[] folders)
    {
        IEnumerable<string> candidates = folders.Select(folder => Path.Combine(folder, Relative(text)));
        return candidates.Append(text).Where(path => path != text || Path.IsPathRooted(path)).FirstOrDefault(
            path => isWanted(path) && File.Exists(path));
    }

    // A pair that was written where the data set lay in other folders, as SegNet's lists of CamVid have them: the last folders of the path count, one
    // at least. What is left out of it holds no blank, so that it is one path.
    private string? MovedFile(string text, Func<string, bool> isWanted)
    {
        string path = isWanted(text) ? Relative(text) : "";
        while (path.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash && !path[..slash].Any(ListPaths.Separates))
        {
            path = path[(slash + 1)..];
            if (path.Contains('/', StringComparison.Ordinal) && File.Exists(Path.Combine(_layout.Root, path)))
            {
                return Path.Combine(_layout.Root, path);
            }
        }

        return null;
    }

    private static string Relative(string text)
    {
        string path = text.TrimStart('/');
        return path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path;
    }

    private static bool HasAccents(string name) => !System.Text.Ascii.IsValid(name);

    private string NameOf(string text) =>
        _layout.ImageSuffix is { } suffix && text.EndsWith(suffix, StringComparison.Ordinal) ? text[..^suffix.Length]
        : PictureFiles.HasPictureExtension(text) ? text[..^Path.GetExtension(text).Length]
        : text;
}
