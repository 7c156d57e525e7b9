using Ldvc.Clip;
using Ldvc.Imaging;
using Ldvc.Tensors;
using Ldvc.Tests.Imaging;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Clip;

public sealed class PreprocessorConfigTests
{
    [Fact]
    public void WithoutAFileItIsClipsOwn()
    {
        using var folder = new TempFolder();
        var config = PreprocessorConfigReader.Load(folder.Root, TinyClip.Config);
        Assert.Equal((96, null, (96, 96), ResampleFilter.Bicubic), (config.ShortSide, config.Exact, config.Crop, config.Filter));
        Assert.Equal(ImageStatistics.Clip.Mean, config.Mean);
        Assert.Equal(ImageStatistics.Clip.Std, config.Std);
        Assert.Equal(PreprocessorConfigReader.Load(TinyClip.Folder, TinyClip.Config).Mean, config.Mean);

        RgbImage picture = ImageReader.Read(ImageFixtures.Path_("rgb.png"));
        float[] expected = new float[3 * 96 * 96], actual = new float[config.Length];
        ClipPreprocess.ToTensor(picture, 96, config.Mean, config.Std, expected);
        config.ToTensor(picture, "rgb.png", actual);
        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData("{}", 96, 0, 0, 96, 96)]
    [InlineData("""{ "size": 112, "crop_size": 96 }""", 112, 0, 0, 96, 96)]
    [InlineData("""{ "size": {"shortest_edge": 100}, "crop_size": {"height": 96, "width": 80} }""", 100, 0, 0, 96, 80)]
    [InlineData("""{ "size": {"height": 96, "width": 128}, "do_center_crop": false }""", 0, 96, 128, 96, 128)]
    [InlineData("""{ "size": {"height": 100, "width": 128}, "crop_size": 96 }""", 0, 100, 128, 96, 96)]
    public void EveryWayToSayASizeIsRead(string json, int shortSide, int height, int width, int cropHeight, int cropWidth)
    {
        var config = Read(json);
        Assert.Equal(shortSide == 0 ? null : (int?)shortSide, config.ShortSide);
        Assert.Equal(height == 0 ? null : ((int, int)?)(height, width), config.Exact);
        Assert.Equal((cropHeight, cropWidth), config.Crop);

        // The middle of the resized picture, as columns and rows that count themselves show.
        var picture = new RgbImage(200, 150);
        for (int i = 0; i < 200 * 150; i++)
        {
            picture.Pixels[3 * i] = (byte)(i % 200);
            picture.Pixels[(3 * i) + 1] = (byte)(i / 200);
        }

        var planes = new float[config.Length];
        config.ToTensor(picture, "p", planes);
        int plane = cropHeight * cropWidth, centre = (cropHeight / 2 * cropWidth) + (cropWidth / 2);
        double red = ((planes[centre] * config.Std[0]) + config.Mean[0]) * 255,
            green = ((planes[plane + centre] * config.Std[1]) + config.Mean[1]) * 255;
        Assert.Equal(100, red, 1.5);
        Assert.Equal(75, green, 1.5);
    }

    // Of a margin of three pixels transformers leaves one on the left, torchvision two.
    [Theory]
    [InlineData(99, 1, 2)]
    [InlineData(97, 0, 0)]
    [InlineData(101, 2, 2)]
    [InlineData(100, 2, 2)]
    public void TheCropIsWhereThePackageHasIt(int width, int transformers, int torchvision)
    {
        var picture = new RgbImage(width, 96);
        for (int i = 0; i < width * 96; i++)
        {
            picture.Pixels[3 * i] = (byte)(i % width);
        }

        const string Units = "\"image_mean\": [0, 0, 0], \"image_std\": [1, 1, 1]";
        var usual = PreprocessorConfig.Default(96) with { Mean = [0, 0, 0], Std = [1, 1, 1] };
        Assert.Equal((transformers, torchvision), (Left(Read($"{{ {Units} }}")), Left(usual)));

        int Left(PreprocessorConfig config)
        {
            var planes = new float[config.Length];
            config.ToTensor(picture, "p", planes);
            return (int)MathF.Round(255 * planes[0]);
        }
    }

    [Fact]
    public void StatisticsAndScaleAreApplied()
    {
        var picture = new RgbImage(96, 96);
        Array.Fill(picture.Pixels, (byte)51);
        Assert.Equal([-0.5f, 0, 0.5f], First(Read("""{ "image_mean": [0.3, 0.2, 0.1], "image_std": [0.2, 0.2, 0.2] }""")));
        Assert.Equal([0.2f, 0.2f, 0.2f], First(Read("""{ "do_normalize": false }""")));
        Assert.Equal([51f, 51f, 51f], First(Read("""{ "do_normalize": false, "do_rescale": false }""")));
        Assert.Equal([-0.6f, -0.6f, -0.6f], First(Read("""{ "image_mean": [1, 1, 1], "image_std": [1, 1, 1], "rescale_factor": 0.00784313725490196 }""")));
        Assert.Equal(ResampleFilter.Bilinear, Read("""{ "resample": 2 }""").Filter);

        float[] First(PreprocessorConfig config)
        {
            var planes = new float[config.Length];
            config.ToTensor(picture, "p", planes);
            return [.. Enumerable.Range(0, 3).Select(c => MathF.Round(planes[c * 96 * 96], 5))];
        }
    }

    [Theory]
    [InlineData("{", "cannot be read as JSON")]
    [InlineData("[]", "a JSON Array, expected an object")]
    [InlineData("""{ "size": "large" }""", "'size' is \"large\", expected whole numbers from 1 to 4096")]
    [InlineData("""{ "size": {"longest_edge": 96} }""", "'size' is {\"longest_edge\": 96}, expected a number, {\"shortest_edge\"} or")]
    [InlineData("""{ "size": 100000 }""", "'size' is 100000")]
    [InlineData("""{ "size": {"height": 96} }""", "'size' is {\"height\": 96}")]
    [InlineData("""{ "crop_size": 90 }""", "'crop_size' is 90 x 90, expected multiples of this CLIP's patch of 16")]
    [InlineData("""{ "size": 96, "crop_size": 112 }""", "'crop_size' is 112 x 112, expected at most the resized picture's 96 x 96")]
    [InlineData("""{ "crop_size": {"width": 96} }""", "'crop_size' is {\"width\": 96}, expected a number or")]
    [InlineData("""{ "do_center_crop": false }""", "'do_center_crop' is false, expected true, as pictures keep their proportions")]
    [InlineData("""{ "do_resize": false }""", "'do_resize' is false, expected true")]
    [InlineData("""{ "do_pad": true }""", "'do_pad' is true, expected false")]
    [InlineData("""{ "do_flip_channel_order": true }""", "'do_flip_channel_order' is true, expected false")]
    [InlineData("""{ "do_resize": 1 }""", "'do_resize' is 1, expected true or false")]
    [InlineData("""{ "resample": 1 }""", "'resample' is 1, expected 3 (bicubic) or 2 (bilinear)")]
    [InlineData("""{ "image_mean": [0.5, 0.5] }""", "'image_mean' is [0.5, 0.5], expected three numbers")]
    [InlineData("""{ "image_std": [0.5, 0.5, 0] }""", "'image_std' is [0.5, 0.5, 0], expected three positive numbers")]
    [InlineData("""{ "image_std": [0.5, 0.5, "1"] }""", "'image_std' is")]
    [InlineData("""{ "image_mean": [123, 116, 103] }""", "'image_mean' is [123, 116, 103], expected numbers from 0 to 1, as pixels are after rescaling")]
    [InlineData("""{ "image_std": [58.395, 57.12, 57.375] }""", "'image_std' is [58.395, 57.12, 57.375], expected numbers from 0 to 1, as")]
    [InlineData("""{ "image_mean": [0.5, 0.5, -0.5] }""", "'image_mean' is [0.5, 0.5, -0.5], expected numbers from 0 to 1")]
    [InlineData("""{ "image_mean": [300, 1, 1], "do_rescale": false }""", "'image_mean' is [300, 1, 1], expected numbers from 0 to 255")]
    [InlineData("""{ "rescale_factor": -1 }""", "'rescale_factor' is -1, expected a positive number")]
    public void WhatCannotBeDoneIsRefused(string json, string expected)
    {
        string message = Assert.Throws<InputException>(() => Read(json)).Message;
        Assert.Contains("preprocessor_config.json: " + expected, message);
        Assert.DoesNotContain('\n', message);
    }

    // As version 4.56 of transformers writes it of a fast processor: null is what nobody set.
    [Fact]
    public void NullIsWhatIsMissing()
    {
        const string Nulls = """
            "data_format": "channels_first", "device": null, "do_center_crop": null, "do_pad": null, "do_rescale": null,
            "do_resize": null, "do_normalize": null, "do_flip_channel_order": null, "crop_size": null, "image_mean": null, "image_std": null,
            "pad_size": null, "resample": null, "rescale_factor": null, "return_tensors": null
            """;
        PreprocessorConfig config = Read($$"""{ {{Nulls}}, "size": null }"""), usual = PreprocessorConfig.Default(96) with { CropsDown = true };
        Assert.Equal((usual.ShortSide, usual.Exact, usual.Crop, usual.Filter), (config.ShortSide, config.Exact, config.Crop, config.Filter));
        Assert.Equal((usual.Mean, usual.Std), (config.Mean, config.Std));
        Assert.Equal(112, Read($$"""{ {{Nulls}}, "size": {"shortest_edge": 112, "longest_edge": null, "height": null, "width": null} }""").ShortSide);
    }

    // From version 5 on the settings of all parts are in one file, which counts before the older one.
    [Theory]
    [InlineData("""{ "image_processor": {"image_mean": [0.5, 0.25, 0.5], "size": {"shortest_edge": 112}}, "processor_class": "P" }""", 0.25f)]
    [InlineData("""{ "processor_class": "CLIPProcessor" }""", 0.125f)]
    [InlineData("""{ "image_processor": null }""", 0.125f)]
    public void OneFileForAllPartsIsRead(string json, float green)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("processor_config.json"), json);
        File.WriteAllText(folder.File("preprocessor_config.json"), """{ "image_mean": [0.5, 0.125, 0.5], "size": 112 }""");
        PreprocessorConfig config = PreprocessorConfigReader.Load(folder.Root, TinyClip.Config);
        Assert.Equal((green, (int?)112), (config.Mean[1], config.ShortSide));
        Assert.Equal(green, PreprocessorConfigReader.Statistics(folder.Root)!.Mean[1]);
        File.Delete(folder.File("preprocessor_config.json"));
        Assert.Equal(green == 0.125f ? ImageStatistics.Clip.Mean[1] : green, PreprocessorConfigReader.Load(folder.Root, TinyClip.Config).Mean[1]);
    }

    [Theory]
    [InlineData("{", "cannot be read as JSON")]
    [InlineData("[]", "a JSON Array, expected an object")]
    [InlineData("""{ "image_processor": 3 }""", "'image_processor' is a JSON Number, expected an object")]
    [InlineData("""{ "image_processor": {"do_pad": true} }""", "'do_pad' is true, expected false")]
    public void WhatIsWrongInTheOneFileIsNamed(string json, string expected)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("processor_config.json"), json);
        string message = Assert.Throws<InputException>(() => PreprocessorConfigReader.Load(folder.Root, TinyClip.Config)).Message;
        Assert.Contains("processor_config.json: " + expected, message);
    }

    // open_clip's preprocess_cfg counts where there is no preprocessor_config.json.
    [Theory]
    [InlineData("", "96 - 96x96 Bicubic")]
    [InlineData("\"size\": 112", "112 - 112x112 Bicubic")]
    [InlineData("\"size\": [96, 96], \"interpolation\": \"bilinear\", \"resize_mode\": \"shortest\", \"mode\": \"RGB\"", "96 - 96x96 Bilinear")]
    [InlineData("\"size\": [96, 128], \"interpolation\": \"random\", \"resize_mode\": \"squash\"", "- 96x128 96x128 Bicubic")]
    [InlineData("\"size\": [96, 128]", "preprocess_cfg.size is [96, 128], expected one number, or resize_mode: squash beside two")]
    [InlineData("\"size\": 100", "preprocess_cfg.size is 100, expected one or two multiples of this CLIP's patch of 16")]
    [InlineData("\"resize_mode\": \"longest\"", "preprocess_cfg.resize_mode is longest, expected shortest or squash")]
    [InlineData("\"interpolation\": \"nearest\"", "preprocess_cfg.interpolation is nearest, expected bicubic or bilinear")]
    [InlineData("\"mode\": \"L\"", "preprocess_cfg.mode is L, expected RGB")]
    [InlineData("\"mean\": [123.675, 116.28, 103.53]", "preprocess_cfg.mean is [123.675, 116.28, 103.53], expected three numbers from 0 to 1")]
    [InlineData("\"std\": [58, 57, 57]", "preprocess_cfg.std is [58, 57, 57], expected three positive numbers of at most 1")]
    public void OpenClipsPreprocessingIsDoneOrRefused(string json, string expected)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("open_clip_config.json"), $$$"""{"model_cfg": {}, "preprocess_cfg": {{{{json}}}}}""");
        PreprocessorConfig Load() => PreprocessorConfigReader.Load(folder.Root, TinyClip.Config);
        if (expected.Contains("expected", StringComparison.Ordinal))
        {
            Assert.Contains("open_clip_config.json: " + expected, Assert.Throws<InputException>(Load).Message);
            return;
        }

        PreprocessorConfig config = Load();
        string exact = config.Exact is { } size ? $"{size.Height}x{size.Width}" : "-", side = config.ShortSide is { } shortest ? $"{shortest}" : "-";
        Assert.Equal(expected, $"{side} {exact} {config.Crop.Height}x{config.Crop.Width} {config.Filter}");
    }

    [Fact]
    public void AStripOfPixelsIsRefusedBeforeItGrows()
    {
        var config = PreprocessorConfig.Default(224);
        var strip = new RgbImage(3, 100000);
        Assert.Contains(
            "strip.png: 3x100000 pixels are too long and narrow",
            Assert.Throws<InputException>(() => config.ToTensor(strip, "strip.png", new float[config.Length])).Message);
    }

    private static PreprocessorConfig Read(string json)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("preprocessor_config.json"), json);
        return PreprocessorConfigReader.Load(folder.Root, TinyClip.Config);
    }
}
