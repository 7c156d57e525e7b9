using System.Text;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Inference;

/// <summary>
/// Pictures and masks in COCO's JSON format: a category is a class's index + 1, an annotation a class's pixels in a picture, as compressed run
/// lengths that pycocotools reads.
/// </summary>
/// <param name="classes">The class names.</param>
internal sealed class CocoAnnotations(IReadOnlyList<string> classes)
{
    /// <summary>The file in the folder of results.</summary>
    internal const string FileName = "coco.json";

    // What tells this file from annotations that somebody made by hand.
    private const string Description = "masks made by ldvc segment";

    private readonly List<object> _images = [];
    private readonly List<object> _annotations = [];

    /// <summary>Adds a picture.</summary>
    internal void Add(CocoPicture picture)
    {
        int id = _images.Count + 1;
        _images.Add(new { Id = id, picture.FileName, picture.Width, picture.Height });
        foreach (CocoMask mask in picture.Masks)
        {
            _annotations.Add(new
            {
                Id = _annotations.Count + 1,
                ImageId = id,
                CategoryId = mask.Class + 1,
                Segmentation = new { Size = new[] { picture.Height, picture.Width }, mask.Counts },
                mask.Area,
                mask.Bbox,
                Iscrowd = 0,
            });
        }
    }

    /// <summary>The whole file.</summary>
    internal object ToJson() => new
    {
        Info = new { Description },
        Images = _images,
        Annotations = _annotations,
        Categories = classes.Select((name, i) => new { Id = i + 1, Name = name }),
    };

    /// <summary>Whether a file is one that was written here: its first lines say so.</summary>
    /// <exception cref="Tensors.InputException">It cannot be read.</exception>
    internal static bool Wrote(string path) => PlainFile.ReadStart(path, 256).AsSpan().IndexOf(Encoding.UTF8.GetBytes(Description)) >= 0;
}
