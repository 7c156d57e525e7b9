using System.Text.Json;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Clip;

/// <summary>
/// preprocess_cfg of open_clip's configuration: size, how pictures are resized to it, filter, mean and deviation. What cannot be done here as it
/// asks is refused. A key that is missing has open_clip's own value.
/// </summary>
internal static class OpenClipPreprocessing
{
    private const int MaxSide = 4096;

    /// <summary>Reads it.</summary>
    /// <param name="path">open_clip_config.json.</param>
    /// <param name="clip">The CLIP's sizes.</param>
    /// <exception cref="InputException">The file is damaged, or asks for something that is not supported.</exception>
    internal static PreprocessorConfig Read(string path, ClipConfig clip) => ClipJson.Read(path, json =>
    {
        JsonSection section = new JsonSection(path, "", json).Section("preprocess_cfg");
        PreprocessorConfig usual = PreprocessorConfig.Default(clip.ImageSize);
        if (section.Text("mode") is not (null or "RGB"))
        {
            throw section.Bad("mode", "RGB");
        }

        (int Height, int Width) size = Size(section, clip);
        bool squashes = section.Text("resize_mode") switch
        {
            null or "shortest" => false,
            "squash" => true,
            _ => throw section.Bad("resize_mode", "shortest or squash"),
        };
        if (!squashes && size.Height != size.Width)
        {
            throw section.Bad("size", "one number, or resize_mode: squash beside two");
        }

        ImageStatistics? own = OpenClipConfig.Statistics(path);
        return usual with
        {
            ShortSide = squashes ? null : size.Height,
            Exact = squashes ? size : null,
            Crop = size,
            Filter = section.Text("interpolation") switch
            {
                // "random" is for training; in tests it is bicubic there.
                null or "bicubic" or "random" => ResampleFilter.Bicubic,
                "bilinear" => ResampleFilter.Bilinear,
                _ => throw section.Bad("interpolation", "bicubic or bilinear"),
            },
            Mean = own?.Mean ?? usual.Mean,
            Std = own?.Std ?? usual.Std,
        };
    });

    private static (int Height, int Width) Size(JsonSection section, ClipConfig clip)
    {
        if (section.Find("size") is not { } size)
        {
            return (clip.ImageSize, clip.ImageSize);
        }

        JsonElement[] sides = size.ValueKind == JsonValueKind.Array ? [.. size.EnumerateArray()] : [size, size];
        bool Fits(JsonElement side) => side.ValueKind == JsonValueKind.Number && side.TryGetInt32(out int pixels) && pixels is >= 1 and <= MaxSide
            && pixels % clip.PatchSize == 0;
        return sides.Length == 2 && sides.All(Fits)
            ? (sides[0].GetInt32(), sides[1].GetInt32())
            : throw section.Bad("size", $"one or two multiples of this CLIP's patch of {clip.PatchSize}, at most {MaxSide}");
    }
}
