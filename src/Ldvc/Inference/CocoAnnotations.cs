using Ldvc.Imaging;

namespace Ldvc.Inference;

/// <summary>
/// Pictures and masks in COCO's JSON format: a category is a class's index + 1, an annotation a class's pixels in a picture, as compressed run lengths that
/// pycocotools reads.
/// </summary>
/// <param name="classes">The class names.</param>
internal sealed class CocoAnnotations(IReadOnlyList<string> classes)
{
    private readonly List<object> _images = [];
    private readonly List<object> _annotations = [];

    /// <summary>Adds a picture.</summary>
    internal void Add(SegmentResult result) => Add(result.Image, result.Labels);

    /// <summary>Adds a picture by its labels; 65535 = no class.</summary>
    internal void Add(string file, LabelMap16 labels)
    {
        int id = _images.Count + 1, width = labels.Width;
        _images.Add(new { Id = id, FileName = file, labels.Width, labels.Height });
        for (int c = 0; c < classes.Count; c++)
        {
            int left = width, top = labels.Height, right = -1, bottom = -1;
            long area = 0;
            for (int i = 0; i < labels.Labels.Length; i++)
            {
                if (labels.Labels[i] == c)
                {
                    int x = i % width, y = i / width;
                    (left, right, top, bottom) = (Math.Min(left, x), Math.Max(right, x), Math.Min(top, y), Math.Max(bottom, y));
                    area++;
                }
            }

            if (area > 0)
            {
                _annotations.Add(new
                {
                    Id = _annotations.Count + 1,
                    ImageId = id,
                    CategoryId = c + 1,
                    Segmentation = new { Size = new[] { labels.Height, width }, Counts = RunLengths.Encode(RunLengths.Of(labels.Labels, width, labels.Height, c)) },
                    Area = area,
                    Bbox = new[] { left, top, right - left + 1, bottom - top + 1 },
                    Iscrowd = 0,
                });
            }
        }
    }

    /// <summary>The whole file.</summary>
    internal object ToJson() => new
    {
        Images = _images,
        Annotations = _annotations,
        Categories = classes.Select((name, i) => new { Id = i + 1, Name = name }),
    };
}
