using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;
using Ldvc.Tests.Configuration;
using Xunit;

namespace Ldvc.Tests.Data;

/// <summary>Masks as people have them: every option of section data that says where they lie and what their numbers or colours mean.</summary>
public sealed class FolderMaskTests : IDisposable
{
    private readonly TinyData _data = new();

    public void Dispose() => _data.Dispose();

    // Values as stored -> train ids. "classes.txt" is cat, dog, sky unless the options name classes.
    [Theory]
    [InlineData("", "0 2 255", "0 2 255")]
    [InlineData("ignore: [1, 7]", "0 1 2 7", "0 255 2 255")]
    [InlineData("zero_is_ignored: true", "0 1 3 255", "255 0 2 255")]
    [InlineData("zero_is_ignored: true, ignore: [9]", "0 1 9", "255 0 255")]
    [InlineData("values: {7: cat, 8: dog, 300: sky, 11: cat}", "0 7 8 300 11 9 65535 255", "255 0 1 2 0 255 255 255")]
    [InlineData("values: {7: sky, 8: dog, 9: CAT}", "7 8 9", "2 1 0")]
    [InlineData("classes: [\"earth, ground\", sea]", "0 1", "0 1")]
    [InlineData("classes: [b, a], values: {65534: a, 1: b}", "65534 1 2", "1 0 255")]
    public void NumbersMeanWhatTheOptionsSay(string options, string stored, string expected)
    {
        ushort[] numbers = [.. stored.Split(' ').Select(ushort.Parse)];
        Folder();
        Wide(numbers, "masks", "a.png");
        Assert.Equal(expected.Split(' ').Select(byte.Parse), Read(options));
    }

    [Fact]
    public void ValuesAloneMakeTheClassesInTheirOrder()
    {
        Folder();
        File.Delete(_data.At("classes.txt"));
        Wide([8, 7, 5], "masks", "a.png");
        SegmentationDataset dataset = Open("values: {8: side walk, 7: road; street}");
        Assert.Equal(["side walk", "road"], dataset.Classes);
        Assert.Equal(["street"], dataset.Classes.Classes[1].Synonyms);
        Assert.Equal([0, 1, 255], dataset.Read(0).Labels.Labels);
    }

    // The names of colours, values and options are read as those of a file.
    [Theory]
    [InlineData("classes: [\"0: cat\", \"1: dog\"]", "data.classes: expected the names alone, found a number before each")]
    [InlineData("values: {7: \"'cat'\", 8: \"'dog'\"}", "data.values: expected the names alone, found quotes around each")]
    [InlineData("colors: quoted.txt", "quoted.txt: expected the names alone, found quotes around each, as in '\"dog\"'")]
    [InlineData("colors: alpha.txt", "alpha.txt: expected lines of r g b name, found a fourth number on each, as in '255 dog' behind the colour")]
    [InlineData("classes: [__ignore__, _background_, cat]", "class 0 is '__ignore__', which labelme counts as -1")]
    public void NamesForOtherProgramsAreRefusedWhereverTheyStand(string options, string expected)
    {
        Folder();
        File.Delete(_data.At("classes.txt"));
        _data.Text("255 0 0 \"cat\"\n0 255 0 \"dog\"\n", "quoted.txt");
        _data.Text("255 0 0 255 cat\n0 255 0 255 dog\n", "alpha.txt");
        options = options.Replace("colors: ", $"colors: {_data.Root}/", StringComparison.Ordinal);
        Assert.Contains(expected, Assert.Throws<InputException>(() => Open(options)).Message);
    }

    [Fact]
    public void ColoursMayStandAsCvatWritesThem()
    {
        Folder();
        File.Delete(_data.At("classes.txt"));
        _data.Text("# label:color_rgb:parts:actions\r\nroad:128,64,128::\r\ntraffic: light:0,0,142::\r\n", "labelmap.txt");
        ImageWriter.WritePng(new RgbImage(2, 1, [0, 0, 142, 128, 64, 128]), _data.At("masks", "a.png"));
        _data.Picture(2, 1, "images", "a.jpg");
        SegmentationDataset dataset = Open($"colors: {_data.At("labelmap.txt")}");
        Assert.Equal(["road", "traffic: light"], dataset.Classes);
        Assert.Equal([1, 0], dataset.Read(0).Labels.Labels);
    }

    // Tools that do not know EXIF draw on the picture as it is stored.
    // class_dict.csv, as CamVid, DeepGlobe and the drone data sets have it on Kaggle.
    [Theory]
    [InlineData("name,r,g,b\nroad marking,128,64,128\ncar,0,0,142\n")]
    [InlineData("name, r, g, b\nroad marking, 128, 64, 128\ncar, 0, 0, 142\n")]
    [InlineData("Class;R;G;B\nroad marking;128;64;128\ncar;0;0;142\n")]
    [InlineData("road marking\t128\t64\t128\ncar\t0\t0\t142\n")]
    public void ColoursMayStandInATableBehindTheNames(string table)
    {
        Folder();
        File.Delete(_data.At("classes.txt"));
        _data.Text(table, "class_dict.csv");
        ImageWriter.WritePng(new RgbImage(2, 1, [0, 0, 142, 128, 64, 128]), _data.At("masks", "a.png"));
        SegmentationDataset dataset = Open($"colors: {_data.At("class_dict.csv")}");
        Assert.Equal(["road marking", "car"], dataset.Classes);
        Assert.Equal([1, 0], dataset.ReadLabels(0).Labels);
    }

    [Fact]
    public void ExchangedSidesAreExplained()
    {
        Folder();
        _data.Picture(4, 3, "images", "a.jpg");
        _data.Mask(TinyData.Labels(3, 4, 0), "masks", "a.png");
        Assert.EndsWith("then turn the mask, too)", Assert.Throws<InputException>(() => Open("").Read(0)).Message);
        _data.Mask(TinyData.Labels(3, 3, 0), "masks", "a.png");
        Assert.DoesNotContain("EXIF", Assert.Throws<InputException>(() => Open("").Read(0)).Message);
    }

    [Fact]
    public void ColoursMeanWhatTheFileSays()
    {
        Folder();
        File.Delete(_data.At("classes.txt"));
        _data.Text("# mine\n128 64 128 road\n\n0, 0, 142, car; vehicle  # blue\n0 0 0\n1 2 3 road\n", "palette.txt");
        byte[] pixels = [0, 0, 142, 128, 64, 128, 0, 0, 0, 1, 2, 3];
        ImageWriter.WritePng(new RgbImage(4, 1, pixels), _data.At("masks", "a.png"));
        _data.Picture(4, 1, "images", "a.jpg");
        SegmentationDataset dataset = Open($"colors: {_data.At("palette.txt")}");
        Assert.Equal(["road", "car"], dataset.Classes);
        Assert.Equal([1, 0, 255, 0], dataset.Read(0).Labels.Labels);

        pixels[0] = 9;
        ImageWriter.WritePng(new RgbImage(4, 1, pixels), _data.At("masks", "a.png"));
        Assert.Contains(
            "a.png: colour (9, 0, 142) at column 0, row 0, expected one of the 4 colours in",
            Assert.Throws<InputException>(() => dataset.ReadLabels(0)).Message);
        RealFormats.Jpeg(new RgbImage(4, 1, pixels), _data.At("masks", "a.png"));
        Assert.Contains("masks with colours must be PNG", Assert.Throws<InputException>(() => dataset.ReadLabels(0)).Message);
    }

    [Theory]
    [InlineData("1 2\n", "line 1: expected r g b name")]
    [InlineData("0 0 0\n1 2 256 x\n", "line 2: expected r g b name")]
    [InlineData("1 2 3x\n", "line 1: expected white space or a comma after 3")]
    [InlineData("1 2 3 x\n#\n1 2 3 y\n", "line 3: colour (1, 2, 3) stands on line 1, too")]
    [InlineData("1 2 3\n", "found none with a name")]
    [InlineData("1 2 3 zebra\n", "'zebra' is not a class")]
    [InlineData("1 2 3 cat\n4 5 6 dog\n", "class 'sky' has none, expected a colour for each of the 3 classes")]
    public void BadPalettesAreRefused(string text, string expected)
    {
        Folder();
        _data.Text(text, "palette.txt");
        string message = Assert.Throws<InputException>(() => Open($"colors: {_data.At("palette.txt")}")).Message;
        Assert.Contains("palette.txt", message);
        Assert.Contains(expected, message);
    }

    [Theory]
    [InlineData("values: {1: zebra}", "data.values: 'zebra' is not a class")]
    [InlineData("values: {1: cat, 2: dog}", "data.values: class 'sky' has none, expected a stored value for each of the 3 classes")]
    [InlineData("classes: [a, A]", "data.classes: class name 'A' stands twice")]
    [InlineData("image_suffix: .tif", "images: expected at least one picture, found none")]
    [InlineData("images: nowhere", "nowhere: folder not found, expected pictures in it")]
    public void OptionsThatDoNotFitTheDataAreRefused(string options, string expected)
    {
        Folder();
        Assert.Contains(expected, Assert.Throws<InputException>(() => Open(options)).Message);
    }

    [Theory]
    [InlineData("kind: voc, values: {1: a}", "data.values: expected data.kind: folder beside it")]
    [InlineData("kind: synthetic, ignore: [1]", "data.ignore: expected a data.kind whose masks are files")]
    [InlineData("kind: folder, values: {1: a}, zero_is_ignored: true", "data.zero_is_ignored: expected false beside data.values")]
    [InlineData("kind: folder, values: {1: a}, ignore: [1]", "data.ignore: expected values that data.values gives no class, found 1, which is 'a' "
        + "there")]
    [InlineData("kind: folder, colors: p.txt, ignore: [1]", "data.colors: expected no data.ignore beside it")]
    [InlineData("kind: folder, colors: p.txt, values: {1: a}", "data.colors: expected no data.values beside it")]
    [InlineData("kind: folder, images: a/*/b", "data.images: expected a folder")]
    [InlineData("kind: folder, mask_suffix: a/b.png", "data.mask_suffix: expected the end of a file name")]
    [InlineData("kind: folder, images: a, masks: a/", "data.mask_suffix: expected what tells masks from pictures")]
    [InlineData("kind: folder, values: [1, 2]", "data.values: expected whole numbers from 0 to 65535 with names, {7: road, 8: sidewalk}, found a "
        + "list of 2 values")]
    [InlineData("kind: folder, values: {a: b}", "data.values.a: expected whole numbers from 0 to 65535 with names, {7: road, 8: sidewalk}, found "
        + "'a'")]
    [InlineData("kind: folder, values: {70000: b}", "found '70000'")]
    [InlineData("kind: folder, values: {7: b, 07: c}", "data.values: expected 7 once")]
    [InlineData("kind: folder, values: {7: }", "data.values.7: expected whole numbers from 0 to 65535 with names, {7: road, 8: sidewalk}, found "
        + "nothing")]
    [InlineData("kind: folder, ignore: [65536]", "data.ignore: expected a list of whole numbers from 0 to 65535, found '65536'")]
    public void ContradictionsAreRefused(string data, string expected) => Assert.Contains(expected, ConfigFiles.Refuses($"data: {{{data}}}"));

    [Fact]
    public void ValuesAreWrittenAndReadBack()
    {
        LdvcConfig config = ConfigFiles.Load("data: {kind: folder, values: {8: \"a, b: c\", 7: road}}", "data.values.300=x");
        string yaml = ConfigWriter.ToYaml(config);
        Assert.Contains("values: {8: \"a, b: c\", 7: road, 300: x}", yaml);
        Assert.Equal(config.Data.Values, ConfigLoader.Parse(yaml, "again").Data.Values);
    }

    // In PASCAL VOC's layout 0 is no label, unless an option says what it is.
    [Theory]
    [InlineData("cat\ndog\nsky\n", "", "255 0 1")]
    [InlineData("cat\ndog\nsky\n", "zero_is_ignored: true", "255 0 1")]
    [InlineData("cat\ndog\nsky\n", "zero_is_ignored: false", "0 1 2")]
    [InlineData("cat\ndog\nsky\n", "values: {0: cat, 1: dog, 2: sky}", "0 1 2")]
    [InlineData("background\ndog\nsky\n", "zero_is_ignored: false", "0 1 2")]
    [InlineData("background\ndog\nsky\n", "zero_is_ignored: true", "255 0 1")]
    [InlineData("background\ndog\nsky\n", "", "class 0 is 'background', but with JPEGImages masks are read as PASCAL VOC's")]
    [InlineData("x; Unlabeled\ndog\nsky\n", "", "class 0 is 'Unlabeled'")]
    [InlineData("_void_\ndog\nsky\n", "", "expected data.zero_is_ignored: false (0 is this class), or true")]
    public void ZeroIsWhatTheLayoutOrTheOptionSays(string names, string options, string expected)
    {
        Folder();
        Directory.Move(_data.At("images"), _data.At("JPEGImages"));
        Directory.Move(_data.At("masks"), _data.At("SegmentationClass"));
        _data.Text(names, "classes.txt");
        if (char.IsAsciiDigit(expected[0]))
        {
            Assert.Equal(expected.Split(' ').Select(byte.Parse), Read(options));
        }
        else
        {
            Assert.Contains(expected, Assert.Throws<InputException>(() => Open(options)).Message);
        }
    }

    [Theory]
    [InlineData("a.jpg\nsub/b.jpg\n")]
    [InlineData("a\nsub/b\n")]
    [InlineData("b\na\n")]
    [InlineData("images/a.jpg masks/a.png\nimages/sub/b.jpg\tmasks/sub/b.png\n")]
    [InlineData("/images/a.jpg /masks/a.png\n/images/sub/b.jpg   /masks/sub/b.png\n")]
    [InlineData("a sub/b.png\nsub/b.jpg a.png\n")]
    [InlineData("/elsewhere/a.jpg\n./images/sub/b.jpg\n")]
    [InlineData("my cat.jpg a.png\nmy cat 2\n")]
    [InlineData("images\\a.jpg masks\\a.png\r\nD:\\data\\images\\sub\\b.jpg\r\n")]
    public void ListsNamePicturesOrPairs(string list)
    {
        Folder();
        _data.Picture(3, 1, "images", "sub", "b.jpg");
        _data.Picture(3, 1, "images", "my cat.jpg");
        _data.Picture(3, 1, "images", "my cat 2.jpg");
        byte label = 0;
        foreach (string mask in new[] { "a", "sub/b", "my cat", "my cat 2" })
        {
            _data.Mask(TinyData.Labels(3, 1, label++), "masks", mask + ".png");
        }

        _data.Text(list, "train.txt");
        FolderDataset dataset = FolderDataset.Open(_data.Root, "train");
        string[] lines = list.Trim().Split('\n');
        string found = string.Join(' ', Enumerable.Range(0, dataset.Count)
            .Select(i => $"{dataset.GetId(i)}={Path.GetRelativePath(_data.At("masks"), dataset.LabelPath(dataset.GetId(i)))}"));
        string expected = lines[0] switch
        {
            "b" => "sub/b=sub/b.png a=a.png",
            "a sub/b.png" => "a=sub/b.png sub/b=a.png",
            "my cat.jpg a.png" => "my cat=a.png my cat 2=my cat 2.png",
            _ => "a=a.png sub/b=sub/b.png",
        };
        Assert.Equal(expected, found);
        dataset.CheckFiles();
    }

    [Fact]
    public void ABackslashMayBePartOfAName()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "names there hold no backslashes");
        Folder();
        _data.Picture(3, 1, "images", "b\\c.jpg");
        _data.Mask(TinyData.Labels(3, 1, 1), "masks", "b\\c.png");
        _data.Picture(3, 1, "images", "d.jpg");
        _data.Text("b\\c.jpg\nimages\\a.jpg\nd.jpg b\\c.png\n", "train.txt");
        FolderDataset dataset = FolderDataset.Open(_data.Root, "train");
        Assert.Equal(["b\\c", "a", "d"], Enumerable.Range(0, 3).Select(dataset.GetId));
        Assert.Equal([1, 1, 1], dataset.ReadLabels(2).Labels);
        _data.Text("images\\nope.jpg\n", "train.txt");
        Assert.Contains(
            "picture 'images\\nope.jpg' not found", Assert.Throws<InputException>(() => FolderDataset.Open(_data.Root, "train")).Message);
    }

    // images/train and images/val without a list: all pictures would be trained on, and scored.
    [Fact]
    public void PartsInFoldersOfTheirOwnAreAskedFor()
    {
        Folder();
        foreach (string part in new[] { "train", "val" })
        {
            _data.Picture(3, 1, "images", part, $"{part}.jpg");
            _data.Mask(TinyData.Labels(3, 1, 1), "masks", part, $"{part}.png");
        }

        string refused = Assert.Throws<InputException>(() => Open("")).Message;
        Assert.Contains("images: has a folder 'train', but no ", refused);
        Assert.Contains("data.images: images/{part}", refused);
        Assert.Equal("train", Open("images: \"images/{part}\", masks: \"masks/{part}\"").GetId(0));
        Assert.Equal(3, Open("train_part: all").Count);
        _data.Text("a\nval/val\n", "train.txt");
        Assert.Equal(2, Open("").Count);
    }

    [Fact]
    public void AListFindsFilesWhoseAccentsMacOsWrote()
    {
        Folder();
        _data.Picture(3, 1, "images", "cafe\u0301.jpg");
        _data.Mask(TinyData.Labels(3, 1, 2), "masks", "cafe\u0301.png");
        _data.Text("caf\u00e9\n", "train.txt");
        Assert.Equal([2, 2, 2], Read(""));
        _data.Text("caf\u00e9.jpg\n", "train.txt");
        Assert.Equal([2, 2, 2], Read(""));
        _data.Text("cafe\n", "train.txt");
        Assert.Contains("picture 'cafe' not found", Assert.Throws<InputException>(() => Open("")).Message);
    }

    [Fact]
    public void AMaskThatIsNearlyThereIsNamed()
    {
        Folder();
        File.Move(_data.At("masks", "a.png"), _data.At("masks", "A.PNG"));
        Assert.EndsWith("expected for picture 'a' of " + _data.Root + "/train; there is A.PNG", Missing());
        Assert.EndsWith("a.png: file not found; there is A.PNG", Assert.Throws<InputException>(() => Open("").ReadLabels(0)).Message);
        File.Delete(_data.At("masks", "A.PNG"));
        Assert.EndsWith("/train", Missing());

        string Missing() => Assert.Throws<InputException>(() => Open("").CheckFiles()).Message;
    }

    [Fact]
    public void ANameThatMayBeTwoPicturesIsRefused()
    {
        Folder();
        _data.Picture(3, 1, "images", "x", "b.jpg");
        _data.Picture(3, 1, "images", "y", "b.jpg");
        _data.Text("a\nb\n", "train.txt");
        Assert.Contains(
            "train.txt, line 2: 'b' may be picture 'x/b' or 'y/b'",
            Assert.Throws<InputException>(() => FolderDataset.Open(_data.Root, "train")).Message);
    }

    [Fact]
    public void PicturesAndMasksMayShareAFolder()
    {
        Folder();
        _data.Picture(3, 1, "all", "p.png");
        _data.Mask(TinyData.Labels(3, 1, 1), "all", "p_mask.png");
        SegmentationDataset dataset = Open("images: all, masks: all, mask_suffix: _mask.png");
        Assert.Equal((1, "p"), (dataset.Count, dataset.GetId(0)));
        Assert.Equal([1, 1, 1], dataset.Read(0).Labels.Labels);
    }

    [Fact]
    public void ALinkToAFolderAroundItIsAnError()
    {
        Folder();
        Directory.CreateSymbolicLink(_data.At("images", "again"), _data.At("images"));
        Assert.Contains("levels of folders", Assert.Throws<InputException>(() => Open("")).Message);
    }

    [Fact]
    public void TheLastClassIsReachedOrRefused()
    {
        Folder();
        _data.Text(string.Join('\n', Enumerable.Range(0, 255).Select(i => $"name {i}")), "classes.txt");
        _data.Mask(TinyData.Labels(3, 1, 254), "masks", "a.png");
        Assert.Equal([254, 254, 254], Read(""));
        Wide([255, 0, 65535], "masks", "a.png");
        Assert.Equal([254, 255, 255], Read("zero_is_ignored: true"));
    }

    [Theory]
    [InlineData("", "0 255 299 65535", "0 255 299 65535")]
    [InlineData("zero_is_ignored: true", "0 1 256 300 65535", "65535 0 255 299 65535")]
    [InlineData("ignore: [255, 7]", "0 255 299 7", "0 65535 299 65535")]
    public void MoreThan255Classes(string options, string stored, string expected)
    {
        Folder();
        Names(300);
        Wide([.. stored.Split(' ').Select(ushort.Parse)], "masks", "a.png");
        LabelMap labels = Open(options).Read(0).Labels;
        Assert.Equal(expected.Split(' ').Select(ushort.Parse), labels.WideLabels);
        Assert.Throws<InvalidOperationException>(() => labels.Labels);
    }

    [Theory]
    [InlineData("", "0 300", "masks/a.png: label value 300 at column 1, row 0, expected 0 to 299 or 65535 (300 classes)")]
    [InlineData("zero_is_ignored: true", "301 0", "label value 301 at column 0, row 0, expected 0 to 300 or 65535 (300 classes and 0, no label)")]
    public void ValuesThatAreNoneOfManyClassesAreRefused(string options, string stored, string expected)
    {
        Folder();
        Names(300);
        Wide([.. stored.Split(' ').Select(ushort.Parse)], "masks", "a.png");
        Assert.Contains(expected, Assert.Throws<InputException>(() => Open(options).Read(0)).Message);
    }

    [Fact]
    public void ManyColours()
    {
        Folder();
        File.Delete(_data.At("classes.txt"));
        _data.Text(string.Join('\n', Enumerable.Range(0, 300).Select(i => $"{i / 256} {i % 256} 9 name {i}")) + "\n0 0 0", "palette.txt");
        ImageWriter.WritePng(new RgbImage(3, 1, [1, 43, 9, 0, 0, 0, 0, 255, 9]), _data.At("masks", "a.png"));
        Assert.Equal([299, 65535, 255], Open($"colors: {_data.At("palette.txt")}").Read(0).Labels.WideLabels);
    }

    [Fact]
    public void AsManyClassesAsLabelsHave()
    {
        Folder();
        Names(65535);
        Assert.Contains(
            "65535 class names, expected 1 to 65534 for labels in which 0 and 65535 are no class",
            Assert.Throws<InputException>(() => Open("zero_is_ignored: true")).Message);
        Wide([65534, 65535], "masks", "a.png");
        Assert.Equal([65534, 65535], Open("").Read(0).Labels.WideLabels);
    }

    [Fact]
    public void PublishedKindsIgnoreMoreValues()
    {
        string voc = RealFormats.Voc(_data);
        LdvcConfig config = ConfigFiles.Load($"data: {{kind: voc, root: {voc}, ignore: [2, 15, 17, 20]}}");
        SegmentationDataset dataset = DatasetRegistry.Files.OpenTraining(config);
        Assert.All(dataset.Read(0).Labels.Labels, label => Assert.Equal(255, label));
        LdvcConfig coco = ConfigFiles.Load($"data: {{kind: coco-stuff, root: {RealFormats.CocoStuff(_data)}, ignore: [123]}}");
        Assert.DoesNotContain((byte)112, DatasetRegistry.Files.OpenTraining(coco).Read(0).Labels.Labels);
    }

    private void Folder()
    {
        _data.Text("cat\ndog\nsky\n", "classes.txt");
        _data.Picture(3, 1, "images", "a.jpg");
        _data.Mask(TinyData.Labels(3, 1, 0, 1, 2), "masks", "a.png");
    }

    private void Names(int count) => _data.Text(string.Join('\n', Enumerable.Range(0, count).Select(i => $"name {i}")), "classes.txt");

    private void Wide(ushort[] numbers, params string[] path)
    {
        LabelWriter.Write(new LabelMap16(numbers.Length, 1, numbers), _data.At(path));
        _data.Picture(numbers.Length, 1, "images", "a.jpg");
    }

    private SegmentationDataset Open(string options) =>
        DrawnData.Registry.OpenTraining(ConfigFiles.Load($"data: {{kind: folder, root: {_data.Root}{(options.Length > 0 ? ", " + options : "")}}}"));

    private byte[] Read(string options) => Open(options).Read(0).Labels.Labels;
}
