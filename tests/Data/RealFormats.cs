using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Tensors;
using SkiaSharp;

namespace Ldvc.Tests.Data;

/// <summary>
/// The benchmarks' folder layouts in miniature: real JPEG pictures with coloured boxes, palette PNG masks with void borders, list files.
/// </summary>
internal static class RealFormats
{
    /// <summary>VOC2012 with SBD's masks and list: 3 train + 2 SBD pictures, 2 to validate on. Returns data.root.</summary>
    public static string Voc(TinyData data)
    {
        string[] train = ["2007_000032", "2007_000039", "2007_000063"], additional = ["2008_000008", "2008_000015"],
            val = ["2007_000033", "2007_000042"];
        List(data, [.. train, .. additional], "VOCdevkit", "VOC2012", "ImageSets", "Segmentation", "trainaug.txt");
        List(data, train, "VOCdevkit", "VOC2012", "ImageSets", "Segmentation", "train.txt");
        List(data, val, "VOCdevkit", "VOC2012", "ImageSets", "Segmentation", "val.txt");
        foreach (string id in (string[])[.. train, .. additional, .. val])
        {
            LabelMap labels = Pair(data, id, 0, [2, 15, 17, 20], "VOCdevkit", "VOC2012", "JPEGImages", id + ".jpg");
            LabelWriter.Write(
                labels,
                data.At("VOCdevkit", "VOC2012", additional.Contains(id) ? "SegmentationClassAug" : "SegmentationClass", id + ".png"),
                additional.Contains(id) ? null : LabelPalette.Voc);
        }

        return data.At("VOCdevkit", "VOC2012");
    }

    /// <summary>COCO-Stuff 164k: raw label values in train2017, converted ones in val2017.</summary>
    public static string CocoStuff(TinyData data)
    {
        for (int i = 0; i < 4; i++)
        {
            string id = $"{9 + i:D12}";
            LabelMap labels = Pair(data, id, 123, [0, 21, 92, 181], "coco", "images", "train2017", id + ".jpg");
            LabelWriter.Write(labels, data.At("coco", "annotations", "train2017", id + ".png"));
        }

        for (int i = 0; i < 2; i++)
        {
            string id = $"{139 + i:D12}";
            LabelMap labels = Pair(data, id, 112, [0, 20, 82, 170], "coco", "images", "val2017", id + ".jpg");
            LabelWriter.Write(labels, data.At("coco", "annotations", "val2017", id + "_labelTrainIds.png"));
        }

        return data.At("coco");
    }

    /// <summary>PASCAL Context over VOC 2010.</summary>
    public static string Context(TinyData data)
    {
        foreach ((string part, string[] ids) in new (string, string[])[] { ("train", ["2008_000002", "2008_000003", "2008_000007"]),
            ("val", ["2008_000009", "2008_000016"]) })
        {
            List(data, ids, "VOCdevkit", "VOC2010", "ImageSets", "SegmentationContext", part + ".txt");
            foreach (string id in ids)
            {
                LabelMap labels = Pair(data, id, 0, [1, 20, 45, 59], "VOCdevkit", "VOC2010", "JPEGImages", id + ".jpg");
                LabelWriter.Write(labels, data.At("VOCdevkit", "VOC2010", "SegmentationClassContext", id + ".png"), LabelPalette.Voc);
            }
        }

        return data.At("VOCdevkit", "VOC2010");
    }

    /// <summary>A user's own folder: cat, dog, blue sky and the unseen "traffic cone"; parts train (4 pictures) and val (2).</summary>
    public static string Folder(TinyData data)
    {
        data.Text("cat\ndog\nblue sky\ntraffic cone\n", "mine", "classes.txt");
        data.Text("traffic cone\n", "mine", "unseen.txt");
        List(data, ["a", "b", "c", "d"], "mine", "train.txt");
        List(data, ["e", "f"], "mine", "val.txt");
        foreach (string id in new[] { "a", "b", "c", "d", "e", "f" })
        {
            LabelMap labels = Pair(data, id, 2, [0, 1, 3], "mine", "images", id + ".jpg");
            LabelWriter.Write(labels, data.At("mine", "masks", id + ".png"), LabelPalette.Bright);
        }

        return data.At("mine");
    }

    /// <summary>A picture of boxes, one per value, on a plain ground; their upper edge is void (255). The same seed gives the same picture.</summary>
    public static (RgbImage Picture, LabelMap Labels) Scene(int width, int height, ulong seed, byte ground, ReadOnlySpan<byte> values)
    {
        var random = new CounterRandom(seed, 1);
        var picture = new RgbImage(width, height);
        var labels = new LabelMap(width, height);
        labels.Labels.AsSpan().Fill(ground);
        Paint(picture, labels, ground, 0, 0, width, height, ref random);
        foreach (byte value in values)
        {
            int w = width / 3, h = height / 3, left = random.NextInt(width - w + 1), top = random.NextInt(height - h + 1);
            Paint(picture, labels, value, left, top, w, h, ref random);
            labels.Labels.AsSpan((top * width) + left, w).Fill(LabelMap.Ignore);
        }

        return (picture, labels);
    }

    /// <summary>Writes a JPEG.</summary>
    public static void Jpeg(RgbImage picture, string path)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(picture.Width, picture.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        Span<byte> pixels = bitmap.GetPixelSpan();
        for (int i = 0; i < picture.Width * picture.Height; i++)
        {
            picture.Pixels.AsSpan(3 * i, 3).CopyTo(pixels[(4 * i)..]);
            pixels[(4 * i) + 3] = 255;
        }

        using SKData data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 92);
        File.WriteAllBytes(path, data.ToArray());
    }

    private static void Paint(RgbImage picture, LabelMap labels, byte value, int left, int top, int width, int height, ref CounterRandom random)
    {
        var colour = new CounterRandom(77, value);
        int red = colour.NextInt(256), green = colour.NextInt(256), blue = colour.NextInt(256);
        for (int y = top; y < top + height; y++)
        {
            for (int x = left; x < left + width; x++)
            {
                int at = (y * picture.Width) + x;
                labels.Labels[at] = value;
                int noise = random.NextInt(21) - 10;
                picture.Pixels[3 * at] = (byte)Math.Clamp(red + noise, 0, 255);
                picture.Pixels[(3 * at) + 1] = (byte)Math.Clamp(green + noise, 0, 255);
                picture.Pixels[(3 * at) + 2] = (byte)Math.Clamp(blue + noise, 0, 255);
            }
        }
    }

    // Landscape and portrait, sides that are no multiples of anything.
    private static LabelMap Pair(TinyData data, string id, byte ground, byte[] values, params string[] picturePath)
    {
        ulong seed = id.Aggregate(7UL, (sum, c) => (sum * 31) + c);
        (int width, int height) = seed % 2 == 0 ? (100, 75) : (70, 93);
        (RgbImage picture, LabelMap labels) = Scene(width, height, seed, ground, values);
        Jpeg(picture, data.At(picturePath));
        return labels;
    }

    private static void List(TinyData data, string[] ids, params string[] path) => data.Text(string.Join('\n', ids) + "\n", path);
}
