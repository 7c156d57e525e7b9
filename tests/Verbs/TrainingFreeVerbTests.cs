using System.Text.Json;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Inference;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Tests.Imaging;
using Xunit;

namespace Ldvc.Tests.Verbs;

/// <summary>A CLIP alone on the command line: `segment --clip`, `eval --training-free`, and class features of `embed`.</summary>
public sealed class TrainingFreeVerbTests : IDisposable
{
    private readonly TinyData _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public void SegmentNeedsNoCheckpoint()
    {
        string picture = _data.At("p.png");
        RgbImage pixels = TinyData.Pattern(90, 70, 3);
        ImageWriter.WritePng(pixels, picture);
        Ok("segment", picture, "--clip", TinyClip.Folder, "--classes", "cat;kitten, dog, blue sky", "--out", _data.At("plain"));
        Ok("segment", picture, "--clip", TinyClip.Folder, "--classes", "cat;kitten, dog, blue sky", "--attention", "qq+kk", "--residual",
            "--template", "the {class}", "--template",
            "a {class}", "--background", "0.34", "--out", _data.At("other"));
        using var device = new CpuDevice(1);
        var config = new TrainingFreeConfig { Attention = SelfSimilarity.QqKk, Residual = true, Template = ["the {class}", "a {class}"] };
        using (Segmenter published = Segmenter.FromClip(TinyClip.Folder, device, ["cat;kitten", "dog", "blue sky"]))
        using (Segmenter changed = Segmenter.FromClip(TinyClip.Folder, device, ["cat;kitten", "dog", "blue sky"], config))
        {
            Assert.Equal(published.Segment(pixels).Labels.Labels, LabelPng.Read(_data.At("plain", "p.png")).Labels);
            Assert.Equal(changed.Segment(pixels, 0.34).Labels.Labels, LabelPng.Read(_data.At("other", "p.png")).Labels);
        }

        Assert.Contains(LabelPng.Read(_data.At("other", "p.png")).Labels, label => label == 255);
    }

    [Fact]
    public void EvalScoresTheClip()
    {
        _data.Text($"clip: {{path: {TinyClip.Folder}}}\ndata: {{kind: synthetic, synthetic: {{val_count: 2}}}}\ntraining_free: {{short_side: 128, "
            + $"window: 96, stride: 32, template: 'a {{class}}'}}\n", "c.yaml");
        string text = Ok("eval", _data.At("c.yaml"), "--training-free", "--json", _data.At("s.json"), "--report", _data.At("s.html"));
        string html = File.ReadAllText(_data.At("s.html"));
        Assert.Contains("without training, on 2 pictures", html);
        Assert.Contains("attention qq, 1 template", html);
        Assert.Contains("without training; 2 pictures of", text);
        JsonElement json = JsonDocument.Parse(File.ReadAllText(_data.At("s.json"))).RootElement;
        Assert.Equal((30, 31), (json.GetProperty("confusion").GetProperty("truth").GetArrayLength(),
            json.GetProperty("confusion").GetProperty("predicted").GetArrayLength()));
        Assert.Equal((96, "qq", 30), (
            json.GetProperty("training_free").GetProperty("window").GetInt32(),
            json.GetProperty("training_free").GetProperty("attention").GetString(),
            json.GetProperty("scores").GetProperty("classes").GetArrayLength()));
        Ok(
            "eval",
            _data.At("c.yaml"),
            "--training-free",
            "--set",
            "training_free.attention=qq+kk",
            "--set",
            "training_free.residual=true",
            "--json",
            _data.At("t.json"));
        Assert.NotEqual(
            json.GetProperty("scores").GetRawText(),
            JsonDocument.Parse(File.ReadAllText(_data.At("t.json"))).RootElement.GetProperty("scores").GetRawText());
    }

    [Fact]
    public void EmbedWritesClassFeatures()
    {
        _data.Text("cat; kitten\nblue sky\n", "names.txt");
        Ok(
            "embed",
            "--clip",
            TinyClip.Folder,
            "--classes-file",
            _data.At("names.txt"),
            "--template",
            "a {class}",
            "--template",
            "the {class}",
            "--out",
            _data.At("f.safetensors"));
        using var archive = TensorArchive.Open(_data.At("f.safetensors"));
        Assert.Equal(["cat", "kitten", "blue sky"], JsonSerializer.Deserialize<string[]>(archive.Metadata["texts"])!);
        using var device = new CpuDevice(1);
        using var embedder = Ldvc.Clip.ClipEmbedder.Load(TinyClip.Folder, device);
        float[] expected = embedder.EmbedClasses(["cat", "kitten", "blue sky"], ["a {class}", "the {class}"], TestContext.Current.CancellationToken);
        Assert.Equal(expected, archive.ReadFloat32("text_features"), (a, b) => Math.Abs(a - b) <= 1e-6f);
    }

    [Fact]
    public void WhatDoesNotFitTogetherIsRefused()
    {
        string picture = _data.At("p.png"), output = _data.At("no");
        ImageWriter.WritePng(TinyData.Pattern(40, 30), picture);
        string Refused(params string[] more) => CommandLine.Refuses(["segment", picture, "--classes", "a,b", "--out", output, .. more]);
        Assert.Contains("segment: expected --checkpoint F, or --clip PATH for a CLIP alone, found neither", Refused());
        Assert.Contains("--attention: expected plain or qq or qq+kk, found 'kk'", Refused("--clip", TinyClip.Folder, "--attention", "kk"));
        Assert.Contains(
            "--template: expected a sentence with {class} in it once or imagenet-80, found 'a cat'",
            Refused("--clip", TinyClip.Folder, "--template", "a cat"));
        Assert.Contains("--residual: expected --clip without --checkpoint", Refused("--checkpoint", "c.safetensors", "--residual"));
        Assert.Contains("--template: expected --clip without --checkpoint", Refused("--checkpoint", "c.safetensors", "--template", "a {class}"));
        Assert.Contains("no such file or folder; expected a CLIP", Refused("--clip", _data.At("none")));
        Assert.False(Directory.Exists(output));
        Assert.Contains("eval: expected --checkpoint F or --training-free, found neither", CommandLine.Refuses("eval", "c.yaml"));
        Assert.Contains(
            "eval: expected --checkpoint F or --training-free, found both",
            CommandLine.Refuses("eval", "c.yaml", "--checkpoint", "c", "--training-free"));
        Assert.Contains("--attention: expected --clip without --checkpoint", CommandLine.Refuses("serve", "--attention", "qq"));
        Assert.Contains(
            "found parts of both", CommandLine.Refuses("embed", "--clip", TinyClip.Folder, "--text", "a", "--classes", "b", "--out", "f"));
        Assert.Contains(
            "found parts of both", CommandLine.Refuses("embed", "--clip", TinyClip.Folder, "--text", "a", "--template", "the {class}", "--out", "f"));
    }

    private static string Ok(params string[] line)
    {
        (int code, string text, string error) = CommandLine.Run([.. line, "--threads", "1"]);
        Assert.Equal((0, ""), (code, error));
        return text;
    }
}
