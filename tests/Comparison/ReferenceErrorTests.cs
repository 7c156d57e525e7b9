using Ldvc.Clip;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Comparison;

/// <summary>Reference files that cannot be compared: exit code 2 and one sentence that says what is wrong.</summary>
public sealed class ReferenceErrorTests
{
    [Theory]
    [InlineData("[1]", "metadata key 'options' is a JSON Array, expected an object")]
    [InlineData("{", "metadata key 'options' is not JSON")]
    [InlineData("{\"heads\": \"two\"}", "option 'heads' is \"two\", expected a whole number from 1 to 256")]
    [InlineData("{\"heads\": 0}", "option 'heads' is 0, expected a whole number from 1 to 256")]
    [InlineData("{\"heads\": 5}", "option 'heads' is 5, expected a divisor of this CLIP's joint width 64")]
    [InlineData("{\"heads\": 2, \"S\": 0}", "option 'S' is 0, expected a whole number from 1 to 256")]
    [InlineData("{\"heads\": 2, \"topk\": 1.5}", "option 'topk' is 1.5, expected a whole number")]
    [InlineData("{\"heads\": 2, \"topk\": -1}", "option 'topk' is -1")]
    [InlineData("{\"heads\": 2, \"attention\": \"linear\"}", "option 'attention' is \"linear\", expected \"route\", \"full\", \"none\"")]
    [InlineData("{\"heads\": 2, \"attention\": null}", "option 'attention' is null")]
    [InlineData("{\"heads\": 2, \"decoder\": 3}", "option 'decoder' is 3, expected \"vision-query\", \"class-query\"")]
    [InlineData("{\"heads\": 2, \"head\": \"sum\"}", "option 'head' is \"sum\", expected \"attention\", \"dot\"")]
    [InlineData("{\"heads\": 2, \"cls_twice\": 1}", "option 'cls_twice' is 1, expected true or false")]
    [InlineData("{\"heads\": 2, \"vision_prompts\": 4}", "option 'vision_prompts' is 4, expected 3 as in the file's tensors")]
    [InlineData("{\"heads\": 2, \"vision_prompts\": 0}", "option 'vision_prompts' is 0, expected 3")]
    [InlineData("{\"heads\": 2, \"text_prompts\": 99999999999}", "option 'text_prompts' is 99999999999, expected a whole number")]
    [InlineData("{\"heads\": 2, \"layers\": 2}", "option 'layers' is 2, expected 3")]
    [InlineData("{\"heads\": 2, \"grid\": [6, 7]}", "option 'grid' is [6, 7], expected [6, 6] for 'image'")]
    [InlineData("{\"heads\": 2, \"grid\": {\"h\": 6}}", "option 'grid' is {\"h\": 6}")]
    public void BadOptionsAreNamed(string options, string expected) =>
        Assert.Contains(expected, Refuses("ldvc-route", a => a.Metadata["options"] = options));

    [Fact]
    public void MissingOptionsAreNamed() => Assert.Contains("metadata key 'options' is missing", Refuses("ldvc-route", a => a.Metadata.Clear()));

    [Fact]
    public void NotesAmongTheOptionsChangeNothing()
    {
        Assert.Equal(0, GoldenTests.CompareEdited(
            "ldvc-route", a => a.Metadata["options"] = "{\"remark\": [1], \"layers\": 3," + a.Metadata["options"][1..]).Code);
        Assert.Equal(0, GoldenTests.CompareEdited("clip-tiny", a => a.Metadata.Clear()).Code);
    }

    [Fact]
    public void IdsAndLabelsMayBeOfEitherWidth()
    {
        Assert.Equal(0, GoldenTests.CompareEdited("ldvc-route", a => a.Narrow.SymmetricExceptWith(["ids", "labels"])).Code);
        Assert.Equal(0, GoldenTests.CompareEdited("clip-tiny", a => a.Narrow.Add("ids")).Code);
    }

    [Fact]
    public void OutputsMayBeLeftOut() => Assert.Equal(0, GoldenTests.CompareEdited("ldvc-route", a =>
    {
        foreach (string name in a.Floats.Keys.Where(k => k.StartsWith("grad.", StringComparison.Ordinal) || k.Contains("embedding")).ToArray())
        {
            a.Floats.Remove(name);
        }
    }).Code);

    [Theory]
    [InlineData("clip-tiny", "image", new long[] { 2, 3, 96, 90 }, "tensor 'image' has shape [2, 3, 96, 90], expected [B, 3, H, W] with H and W "
        + "multiples of this CLIP's patch of 16")]
    [InlineData("clip-tiny", "image", new long[] { 2, 1, 96, 96 }, "tensor 'image' has shape [2, 1, 96, 96]")]
    [InlineData("clip-tiny", "image", new long[] { 3, 96, 96 }, "tensor 'image' should have 4 dimensions, none of them 0, found shape [3, 96, 96]")]
    [InlineData("clip-tiny", "image", new long[] { 0, 3, 96, 96 }, "tensor 'image' should have 4 dimensions")]
    [InlineData("clip-tiny", "image", new long[] { 1, 3, 96, 96 }, "tensor 'visual.block0' has shape [2, 37, 128], but this CLIP gives [1, 37, 128]")]
    [InlineData("clip-tiny", "rect.image", new long[] { 1, 3, 100, 160 }, "tensor 'rect.image' has shape [1, 3, 100, 160]")]
    [InlineData("clip-tiny", "ids", new long[] { 8, 33 }, "tensor 'ids' has shape [8, 33], but this CLIP reads texts of at most 32 tokens")]
    [InlineData("clip-tiny", "ids", new long[] { 8 }, "tensor 'ids' should have 2 dimensions")]
    [InlineData("clip-tiny", "text_features", new long[] { 64, 8 }, "tensor 'text_features' has shape [64, 8], but this CLIP gives [8, 64]")]
    [InlineData("ldvc-route", "image", new long[] { 2, 3, 96, 97 }, "tensor 'image' has shape [2, 3, 96, 97]")]
    [InlineData("ldvc-route", "labels", new long[] { 2, 48, 48 }, "tensor 'labels' has shape [2, 48, 48], expected [2, 96, 96] as 'image' has it")]
    [InlineData("ldvc-route", "labels", new long[] { 1, 96, 96 }, "tensor 'labels' has shape [1, 96, 96]")]
    [InlineData("ldvc-route", "ids", new long[] { 5, 4 }, "tensor 'ids' has texts of at most 3 tokens, expected more than the 4 text prompts")]
    [InlineData("ldvc-route", "param.text.prompt", new long[] { 2, 3, 128 }, "option 'text_prompts' is 4, expected 3")]
    [InlineData("ldvc-route", "param.adapter.weight", new long[] { 64, 64 }, "tensor 'param.adapter.weight' has shape [64, 64], but this CLIP and "
        + "the file's options give [64, 128]")]
    [InlineData("ldvc-route", "param.decoder.layers.0.ffn.fc1.weight", new long[] { 256, 32 },
        "expected [n * 64, 64] for this CLIP's joint width 64")]
    [InlineData("ldvc-route", "grad.adapter.bias", new long[] { 32 }, "tensor 'grad.adapter.bias' has shape [32], but this CLIP gives [64]")]
    public void WrongShapesAreNamed(string file, string tensor, long[] shape, string expected) =>
        Assert.Contains(expected, Refuses(file, a => a.Resize(tensor, shape)));

    [Theory]
    [InlineData("ldvc-route", "image")]
    [InlineData("ldvc-route", "param.adapter.bias")]
    [InlineData("ldvc-route", "param.decoder.layers.1.norm2.bias")]
    public void MissingTensorsAreNamed(string file, string tensor) =>
        Assert.Contains($"tensor '{tensor}' is missing", Refuses(file, a => a.Floats.Remove(tensor)));

    [Theory]
    [InlineData("clip-tiny", "visual.block2", "tensor 'visual.block2' is not one that this CLIP computes")]
    [InlineData("ldvc-route", "grad.decoder.layers.3.norm1.bias", "tensor 'grad.decoder.layers.3.norm1.bias' is not one")]
    [InlineData("ldvc-route", "param.visual.prompt.extra", "tensor 'param.visual.prompt.extra' is no parameter")]
    [InlineData("ldvc-route", "param.decoder.layers.5.norm1.bias", "found 4 different numbers i in tensors 'param.decoder.layers.i'")]
    public void TensorsThatNobodyKnowsAreNamed(string file, string tensor, string expected) =>
        Assert.Contains(expected, Refuses(file, a => a.Floats.Add(tensor, ([1], [0f]))));

    [Fact]
    public void WrongIntegersAreNamed()
    {
        Assert.Contains("tensor 'ids' holds 714, expected ids from 0 to 713", Refuses("ldvc-route", a => a.Integers["ids"].Values[3] = 714));
        Assert.Contains("tensor 'ids' holds -1, expected ids from 0 to 713", Refuses("clip-tiny", a => a.Integers["ids"].Values[3] = -1));
        foreach (int label in (int[])[-1, 5, 77, 254, 256, 511])
        {
            Assert.Contains(
                $"tensor 'labels' holds {label}, expected one of the 5 classes that 'ids' has texts of, counted from 0, or 255 for none",
                Refuses("ldvc-route", a => a.Integers["labels"].Values[3] = label));
        }

        Assert.Contains("expected integers", Refuses("clip-tiny", a =>
        {
            a.Floats["ids"] = (a.Integers["ids"].Shape, [.. a.Integers["ids"].Values.Select(i => (float)i)]);
            a.Integers.Remove("ids");
        }));
    }

    [Theory]
    [InlineData("ldvc-route", "image", float.NaN, "nan")]
    [InlineData("ldvc-route", "param.adapter.bias", float.PositiveInfinity, "infinity")]
    [InlineData("clip-tiny", "rect.image", float.NegativeInfinity, "-infinity")]
    [InlineData("training-free", "image", float.NaN, "nan")]
    public void InputsThatAreNotFiniteAreNamed(string file, string tensor, float value, string found) => Assert.Contains(
        $"tensor '{tensor}' holds {found} at element 5, expected finite numbers", Refuses(file, a => a.Floats[tensor].Values[5] = value));

    [Fact]
    public void FilesOfAnotherKindAreNamed() => Assert.Contains(
        "option 'kind' is \"tiny-gpt\", expected \"training-free\", or none for a training step of LDVC",
        Refuses(TinyClip.Folder, GoldenTests.Golden("tiny-gpt")));

    [Fact]
    public void ACutFileIsRefused()
    {
        using var folder = new TempFolder();
        byte[] whole = File.ReadAllBytes(GoldenTests.Golden("ldvc-route"));
        foreach (int length in (int[])[0, 7, 100, 20000, whole.Length - 1])
        {
            File.WriteAllBytes(folder.File("cut.safetensors"), whole[..length]);
            Assert.StartsWith("ldvc: " + folder.File("cut.safetensors"), Refuses(TinyClip.Folder, folder.File("cut.safetensors")));
        }

        Assert.Contains("none.safetensors", Refuses(TinyClip.Folder, folder.File("none.safetensors")));
        Assert.Contains("holds nothing to compare", Refuses("clip-tiny", a => a.Floats.Clear(), a => a.Integers.Clear()));
    }

    [Fact]
    public void AClipOfOtherSizesIsRefused()
    {
        using var folder = new TempFolder();
        string narrow = TinyClip.Random(folder, TinyClip.Config with { Vision = new TowerConfig(64, 2, 1, 256) });
        Assert.Contains(
            "tensor 'visual.block0' has shape [2, 37, 128], but this CLIP gives [2, 37, 64]", Refuses(narrow, GoldenTests.Golden("clip-tiny")));
        Assert.Contains("tensor 'param.visual.prompt.shallow' has shape [3, 128], but this CLIP", Refuses(narrow, GoldenTests.Golden("ldvc-route")));
        Directory.Delete(narrow, recursive: true);

        string other = TinyClip.Random(folder, TinyClip.Config with { Embedding = 32, PatchSize = 32 });
        Assert.Contains(
            "tensor 'visual.block0' has shape [2, 37, 128], but this CLIP gives [2, 10, 128]", Refuses(other, GoldenTests.Golden("clip-tiny")));
        Assert.Contains("option 'grid' is [6, 6], expected [3, 3]", Refuses(other, GoldenTests.Golden("ldvc-route")));
        Assert.Contains("no such file or folder", Refuses(folder.File("nothing"), GoldenTests.Golden("clip-tiny")));
    }

    private static string Refuses(string clip, string reference) =>
        CommandLine.Refuses("compare", "--clip", clip, "--reference", reference, "--threads", "1");

    private static string Refuses(string name, params Action<EditedArchive>[] edits)
    {
        using var folder = new TempFolder();
        var archive = EditedArchive.Load(GoldenTests.Golden(name));
        foreach (var edit in edits)
        {
            edit(archive);
        }

        return Refuses(TinyClip.Folder, archive.Save(folder.File("edited.safetensors")));
    }
}
