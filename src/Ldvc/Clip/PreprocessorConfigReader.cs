using System.Text.Json;
using Ldvc.Imaging;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Clip;

/// <summary>
/// Reads Hugging Face's preprocessor_config.json, or the same in processor_config.json, into which transformers writes the settings of all parts from
/// version 5 on. What this program cannot do as the file asks is refused, not approximated.
/// </summary>
internal sealed class PreprocessorConfigReader
{
    /// <summary>The file's name beside a checkpoint.</summary>
    internal const string FileName = "preprocessor_config.json";

    /// <summary>The newer file's name; older ones of this name have no <see cref="Part"/>.</summary>
    internal const string WholeFileName = "processor_config.json";

    private const string Part = "image_processor";
    private const int MaxSide = 4096;
    private const long MaxBytes = 1 << 20;
    private readonly string _path;
    private readonly JsonElement _root;
    private readonly ClipConfig? _sizes;

    private PreprocessorConfigReader(string path, JsonElement root, ClipConfig? sizes) => (_path, _root, _sizes) = (path, root, sizes);

    private ClipConfig Sizes => _sizes ?? throw new InvalidOperationException("statistics need no sizes");

    /// <summary>
    /// The file of a folder; when there is none what open_clip's configuration says, if that is there, else CLIP's own preprocessing.
    /// </summary>
    /// <exception cref="InputException">The file is damaged, or asks for something that is not supported.</exception>
    internal static PreprocessorConfig Load(string folder, ClipConfig clip) => Open(folder, clip, reader => reader.Read()) ?? Default(folder, clip);

    /// <summary>
    /// Mean and standard deviation that the file of a folder says, in units of 0..1; null when there is no file. Sizes and filter are not looked at.
    /// </summary>
    /// <exception cref="InputException">The file is damaged.</exception>
    internal static ImageStatistics? Statistics(string folder) => Open(folder, null, reader => reader.Statistics());

    private static PreprocessorConfig Default(string folder, ClipConfig clip)
    {
        string openClip = Path.Combine(folder, OpenClipConfig.FileName);
        return File.Exists(openClip) ? OpenClipPreprocessing.Read(openClip, clip) : PreprocessorConfig.Default(clip.ImageSize);
    }

    // Where both files are there, transformers takes the newer one.
    private static T? Open<T>(string folder, ClipConfig? clip, Func<PreprocessorConfigReader, T> read)
        where T : class =>
        Open(Path.Combine(folder, WholeFileName), Part, clip, read) ?? Open(Path.Combine(folder, FileName), null, clip, read);

    private static T? Open<T>(string path, string? part, ClipConfig? clip, Func<PreprocessorConfigReader, T> read)
        where T : class
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using JsonDocument document = JsonInput.Parse(PlainFile.ReadAll(path, MaxBytes), duplicates: true);
            JsonElement root = document.RootElement;
            return root.ValueKind != JsonValueKind.Object ? throw new InputException($"{path}: a JSON {root.ValueKind}, expected an object.")
                : part is null ? read(new PreprocessorConfigReader(path, root, clip))
                : !Has(root, part, out JsonElement inner) ? null
                : inner.ValueKind == JsonValueKind.Object ? read(new PreprocessorConfigReader(path, inner, clip))
                : throw new InputException($"{path}: '{part}' is a JSON {inner.ValueKind}, expected an object.");
        }
        catch (JsonException error)
        {
            throw new InputException($"{path}: cannot be read as JSON ({JsonInput.Reason(error)})", error);
        }
    }

    // Null is written for what was left at its default.
    private static bool Has(JsonElement place, string key, out JsonElement value) =>
        place.TryGetProperty(key, out value) && value.ValueKind != JsonValueKind.Null;

    private PreprocessorConfig Read()
    {
        Require("do_resize", true);
        Require("do_pad", false);
        var (shortSide, exact) = Size();
        bool crops = Flag("do_center_crop", true);
        (int Height, int Width) crop = crops ? CropSize() : exact ?? throw Bad("do_center_crop", "true, as pictures keep their proportions", "false");
        if (crop.Height % Sizes.PatchSize != 0 || crop.Width % Sizes.PatchSize != 0)
        {
            throw Bad(crops ? "crop_size" : "size", $"multiples of this CLIP's patch of {Sizes.PatchSize}", $"{crop.Height} x {crop.Width}");
        }

        var resized = exact ?? (shortSide!.Value, shortSide.Value);
        if (crop.Height > resized.Item1 || crop.Width > resized.Item2)
        {
            throw Bad("crop_size", $"at most the resized picture's {resized.Item1} x {resized.Item2}", $"{crop.Height} x {crop.Width}");
        }

        ImageStatistics statistics = Statistics();
        return new PreprocessorConfig
        {
            ShortSide = shortSide,
            Exact = exact,
            Crop = crop,
            CropsDown = true,
            Filter = Filter(),
            Mean = statistics.Mean,
            Std = statistics.Std,
        };
    }

    // (v * factor - mean) / std in units of v / 255: factor * 255 divides out.
    private ImageStatistics Statistics()
    {
        Require("do_flip_channel_order", false);
        double scale = 255 * Factor();
        bool normalizes = Flag("do_normalize", true);
        float[] mean = normalizes ? Three("image_mean", ImageStatistics.Clip.Mean, -1e3) : [0, 0, 0];
        float[] std = normalizes ? Three("image_std", ImageStatistics.Clip.Std, 1e-6) : [1, 1, 1];
        RefuseUnits("image_mean", mean, scale);
        RefuseUnits("image_std", std, scale);
        return Math.Abs(scale - 1) < 1e-6
            ? new ImageStatistics(_path, mean, std)
            : new ImageStatistics(_path, [.. mean.Select(m => (float)(m / scale))], [.. std.Select(d => (float)(d / scale))]);
    }

    // Numbers for pixels of 0 to 255 beside pixels of 0 to 1 make every picture one colour.
    private void RefuseUnits(string key, float[] values, double scale)
    {
        if (Has(_root, key, out JsonElement list) && values.Any(value => value < 0 || value > scale * (1 + 1e-6)))
        {
            string pixels = Configuration.ConfigText.Number(Math.Round(scale, 6));
            throw Bad(key, $"numbers from 0 to {pixels}, as pixels are after rescaling (do_rescale, rescale_factor)", list.GetRawText());
        }
    }

    private (int? ShortSide, (int Height, int Width)? Exact) Size()
    {
        if (!Has(_root, "size", out var size))
        {
            return (Sizes.ImageSize, null);
        }

        if (size.ValueKind == JsonValueKind.Object)
        {
            if (Has(size, "shortest_edge", out var edge) && !Has(size, "longest_edge", out _))
            {
                return (Side("size", edge), null);
            }

            if (Has(size, "height", out var height) && Has(size, "width", out var width))
            {
                return (null, (Side("size", height), Side("size", width)));
            }

            throw Bad("size", "a number, {\"shortest_edge\"} or {\"height\", \"width\"}", size.GetRawText());
        }

        return (Side("size", size), null);
    }

    private (int Height, int Width) CropSize()
    {
        if (!Has(_root, "crop_size", out var size))
        {
            return (Sizes.ImageSize, Sizes.ImageSize);
        }

        if (size.ValueKind != JsonValueKind.Object)
        {
            int side = Side("crop_size", size);
            return (side, side);
        }

        return Has(size, "height", out var height) && Has(size, "width", out var width)
            ? (Side("crop_size", height), Side("crop_size", width))
            : throw Bad("crop_size", "a number or {\"height\", \"width\"}", size.GetRawText());
    }

    private int Side(string key, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int side) && side is >= 1 and <= MaxSide
            ? side
            : throw Bad(key, $"whole numbers from 1 to {MaxSide}", value.GetRawText());

    // The numbers are Pillow's.
    private ResampleFilter Filter()
    {
        if (!Has(_root, "resample", out var value))
        {
            return ResampleFilter.Bicubic;
        }

        return value.GetRawText() switch
        {
            "3" => ResampleFilter.Bicubic,
            "2" => ResampleFilter.Bilinear,
            var other => throw Bad("resample", "3 (bicubic) or 2 (bilinear)", other),
        };
    }

    private double Factor()
    {
        if (!Flag("do_rescale", true))
        {
            return 1;
        }

        if (!Has(_root, "rescale_factor", out var value))
        {
            return 1 / 255.0;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double factor) && factor is > 1e-6 and < 1e3
            ? factor
            : throw Bad("rescale_factor", "a positive number", value.GetRawText());
    }

    private float[] Three(string key, float[] otherwise, double smallest)
    {
        if (!Has(_root, key, out var list))
        {
            return otherwise;
        }

        double[] values = list.ValueKind == JsonValueKind.Array && list.GetArrayLength() == 3
            ? [.. list.EnumerateArray().Select(v => v.ValueKind == JsonValueKind.Number && v.TryGetDouble(out double d) ? d : double.NaN)]
            : [];
        return values.Length == 3 && values.All(v => v >= smallest && v <= 1e3)
            ? [.. values.Select(v => (float)v)]
            : throw Bad(key, smallest > 0 ? "three positive numbers" : "three numbers", list.GetRawText());
    }

    private bool Flag(string key, bool otherwise)
    {
        if (!Has(_root, key, out var value))
        {
            return otherwise;
        }

        return value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : throw Bad(key, "true or false", value.GetRawText());
    }

    private void Require(string key, bool expected)
    {
        if (Flag(key, expected) != expected)
        {
            throw Bad(key, expected ? "true" : "false", expected ? "false" : "true");
        }
    }

    private InputException Bad(string key, string expected, string found)
    {
        string oneLine = string.Join(' ', found.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return new($"{_path}: '{key}' is {(oneLine.Length > 80 ? oneLine[..80] + "..." : oneLine)}, expected {expected}.");
    }
}
