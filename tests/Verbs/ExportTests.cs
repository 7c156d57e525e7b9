using System.Text.Json;
using Ldvc.Autograd;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Tests.Training;
using Microsoft.ML.OnnxRuntime;
using Xunit;

namespace Ldvc.Tests.Verbs;

/// <summary>`ldvc export`: trained models in ONNX Runtime, and checkpoints without the optimiser's state.</summary>
public sealed class ExportTests : IDisposable
{
    private readonly TinyData _data = new();

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData("model.decoder.kind=vision-query", "model.decoder.attention=route", "model.head=attention", "model.prompts.text=2")]
    [InlineData("model.decoder.kind=class-query", "model.head=attention", "model.cls_twice=true", "data.image_mean=imagenet")]
    [InlineData("model.decoder.kind=vision-query", "model.decoder.attention=full", "model.head=dot", "model.prompts.text=0")]
    public void ATrainedModelGivesTheSameLogitsInOnnxRuntime(params string[] settings)
    {
        string checkpoint = Train("run", [.. settings, "model.decoder.windows=2", "model.decoder.topk=2", "train.lr=0.01"]);
        foreach (var (height, width) in new[] { (64, 64), (48, 80) })
        {
            string path = _data.At("model.onnx"), json = _data.At("export.json");
            (int code, string text, string error) = CommandLine.Run(
                "export",
                "--checkpoint",
                checkpoint,
                "--size",
                $"{height}x{width}",
                "--classes",
                "cat; kitten, grass, sky",
                "--out",
                path,
                "--json",
                json,
                "--threads",
                "1");
            Assert.Equal((0, ""), (code, error));
            Assert.Contains($"to logits [N, C, {height / 16}, {width / 16}], opset 17", text);
            Assert.Contains("embeddings of 3 classes", text);
            Assert.Equal(height, JsonDocument.Parse(File.ReadAllText(json)).RootElement.GetProperty("height").GetInt32());
            Check(checkpoint, path, height, width);
        }
    }

    // The checkpoint's own classes and window; the file has what the example reads.
    [Fact]
    public void BesideItLieClassesAndAnExample()
    {
        string checkpoint = Train("run"), path = _data.At("small.onnx");
        Assert.Equal(0, CommandLine.Run("export", "--checkpoint", checkpoint, "--out", path, "--threads", "1").Code);
        using var classes = TensorArchive.Open(_data.At("classes.safetensors"));
        using var saved = LdvcCheckpoint.Open(checkpoint);
        string[] names = JsonSerializer.Deserialize<string[]>(classes.Metadata["names"])!;
        Assert.Equal(saved.Classes, names);
        Assert.Equal([names.Length, 64], classes.Entry("classes").Shape);
        Assert.Equal(Enumerable.Range(0, names.Length), classes.ReadInt32("owner"));
        Assert.Equal(saved.Statistics.Mean, JsonSerializer.Deserialize<float[]>(classes.Metadata["image_mean"])!);
        float[] penalties = classes.ReadFloat32("penalty");
        Assert.Equal(names.Select(name => saved.Seen.Contains(name) && !names.All(saved.Seen.Contains) ? 0.1f : 0), penalties);
        Assert.All(classes.ReadFloat32("classes").Chunk(64), row => Assert.Equal(1, row.Sum(v => v * v), 1e-4));

        string example = File.ReadAllText(_data.At("example.py"));
        Assert.Contains("here / \"small.onnx\"", example);
        Assert.DoesNotContain("MODEL", example);
        Assert.InRange(example.Split('\n').Length, 20, 40);
        using var session = new InferenceSession(path);
        Assert.Equal([-1, 3, 64, 64], session.InputMetadata["image"].Dimensions);
        Assert.Equal([-1, 64], session.InputMetadata["classes"].Dimensions);
        Assert.Equal([-1, -1, 4, 4], session.OutputMetadata["logits"].Dimensions);
    }

    // Two models may share a folder, and with it their classes; what others have in it stays.
    [Fact]
    public void FilesOfOthersAreNotReplaced()
    {
        string checkpoint = Train("run"), folder = Directory.CreateDirectory(_data.At("out")).FullName, example = Path.Combine(folder, "example.py");
        string[] Line(string name, params string[] more) =>
            ["export", "--checkpoint", checkpoint, "--out", Path.Combine(folder, name), "--threads", "1", .. more];
        void Keeps(string file, string content)
        {
            File.WriteAllText(file, content);
            Assert.Contains($"{file}: is there already, and is not one that `ldvc export` wrote", CommandLine.Refuses(Line("a.onnx")));
            Assert.Equal(content, File.ReadAllText(file));
            File.Delete(file);
        }

        Keeps(example, "print('mine')\n");
        Keeps(Path.Combine(folder, "classes.safetensors"), "mine");
        Assert.Equal(0, CommandLine.Run(Line("a.onnx")).Code);
        Assert.Equal(0, CommandLine.Run(Line("b.onnx", "--size", "48x80")).Code);
        Assert.Contains("b.onnx", File.ReadAllText(example));
        byte[] before = File.ReadAllBytes(Path.Combine(folder, "classes.safetensors"));
        Assert.Contains("holds the classes of b.onnx in the same folder", CommandLine.Refuses(Line("c.onnx", "--classes", "cat")));
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(folder, "classes.safetensors")));
        Assert.Equal(0, CommandLine.Run(Line("b.onnx", "--classes", "cat")).Code);
    }

    [Fact]
    public void WhatCannotBeExportedIsRefusedAndNothingIsWritten()
    {
        string checkpoint = Train("run"), folder = Directory.CreateDirectory(_data.At("out")).FullName, good = Path.Combine(folder, "m.onnx");
        string Refuses(params string[] more) => CommandLine.Refuses(["export", "--threads", "1", .. more]);
        Assert.Contains(
            "--out: expected a file NAME.onnx (or --lean for a checkpoint), found ",
            Refuses("--checkpoint", checkpoint, "--out", Path.Combine(folder, "m.pt")));
        Assert.Contains("--out: expected a file NAME.onnx", Refuses("--checkpoint", checkpoint, "--out", Path.Combine(folder, ".onnx")));
        Assert.Contains("--out: expected a file NAME.safetensors with --lean", Refuses("--checkpoint", checkpoint, "--out", good, "--lean"));
        Assert.Contains("does not exist", Refuses("--checkpoint", checkpoint, "--out", Path.Combine(folder, "none", "m.onnx")));
        Assert.Contains(
            "its name has 305 bytes", Refuses("--checkpoint", checkpoint, "--out", Path.Combine(folder, new string('m', 300) + ".onnx")));
        Assert.Contains(
            "--size: expected height and width in pixels as 512x512, found ", Refuses("--checkpoint", checkpoint, "--out", good, "--size", "64"));
        Assert.Contains(
            "--size: 64x70, expected multiples of this CLIP's patch of 16", Refuses("--checkpoint", checkpoint, "--out", good, "--size", "64x70"));
        Assert.Contains("class", Refuses("--checkpoint", checkpoint, "--out", good, "--classes", "a,,b"));
        Assert.Contains("no such file", Refuses("--checkpoint", _data.At("none.safetensors"), "--out", good));
        Assert.Contains(
            "expected a checkpoint that `ldvc train` wrote",
            Refuses("--checkpoint", Path.Combine(TinyClip.Folder, "model.safetensors"), "--out", good));
        Assert.Contains(
            "--size, --classes and --clip are for ONNX",
            Refuses("--checkpoint", checkpoint, "--out", Path.Combine(folder, "l.safetensors"), "--lean", "--size", "64x64"));
        Assert.Contains("would replace the checkpoint", Refuses("--checkpoint", checkpoint, "--out", checkpoint, "--lean"));
        Assert.Empty(Directory.GetFileSystemEntries(folder));
    }

    [Fact]
    public void ALeanCheckpointServesForAllButResuming()
    {
        string config = SmallRun.OwnConfig(_data), run = _data.At("run"), lean = _data.At("lean.safetensors"), picture = _data.At("p.png");
        string checkpoint = Train("run");
        (int code, string text, _) = CommandLine.Run("export", "--checkpoint", checkpoint, "--lean", "--out", lean);
        Assert.Equal(0, code);
        Assert.Contains("without the optimiser's state", text);
        Assert.Equal(0, CommandLine.Run("export", "--checkpoint", run, "--lean", "--out", _data.At("same.safetensors")).Code);
        Assert.Equal(File.ReadAllBytes(lean), File.ReadAllBytes(_data.At("same.safetensors")));
        double share = (double)new FileInfo(lean).Length / new FileInfo(checkpoint).Length;
        Assert.InRange(share, 0.3, 0.36);

        // The same scores and labels, and a model to export from.
        string Scores(string file)
        {
            (int result, string output, _) = CommandLine.Run([.. SmallRun.Verb("eval", config), "--checkpoint", file]);
            Assert.Equal(0, result);
            return string.Join('\n', output.Split('\n').Where(line => !line.Contains("images/s", StringComparison.Ordinal))).Replace(
                file, "", StringComparison.Ordinal);
        }

        Assert.Equal(Scores(checkpoint), Scores(lean));
        ImageWriter.WritePng(TinyData.Pattern(40, 30), picture);
        foreach (string file in (string[])[checkpoint, lean])
        {
            Assert.Equal(0, CommandLine.Run(
                "segment", picture, "--checkpoint", file, "--classes", "a,b,c", "--out", _data.At(Path.GetFileNameWithoutExtension(file))).Code);
        }

        Assert.Equal(File.ReadAllBytes(Path.Combine(_data.At("ckpt-00000001"), "p.png")), File.ReadAllBytes(Path.Combine(_data.At("lean"), "p.png")));
        Assert.Equal(0, CommandLine.Run("export", "--checkpoint", lean, "--out", _data.At("m.onnx"), "--threads", "1").Code);

        // In the place of a run's checkpoint it would end the run silently, or begin it anew: --resume says why not.
        File.Copy(lean, checkpoint, overwrite: true);
        string message = CommandLine.Refuses([.. SmallRun.Arguments(config, run, "train.iterations=1", "--resume")]);
        Assert.Contains("ckpt-00000001.safetensors: a lean checkpoint, without the optimiser's state; --resume needs a whole one", message);
    }

    private string Train(string name, params string[] settings)
    {
        string run = _data.At(name);
        SmallRun.Train(SmallRun.OwnConfig(_data), run, ["train.iterations=1", .. settings]);
        return SmallRun.Checkpoint(run, 1);
    }

    private static void Check(string checkpoint, string path, int height, int width)
    {
        using var device = new CpuDevice(2);
        using var saved = LdvcCheckpoint.Open(checkpoint);
        using LoadedModel loaded = saved.LoadModel(device, null);
        using var classes = TensorArchive.Open(Path.Combine(Path.GetDirectoryName(path)!, "classes.safetensors"));
        float[] embeddings = classes.ReadFloat32("classes");
        Assert.Equal([0, 0, 1, 2], classes.ReadInt32("owner"));
        using (Tensor own = loaded.EmbedClasses(["cat", "kitten", "grass", "sky"]))
        {
            Assert.Equal(own.ToArray(), embeddings);
        }

        float[] image = new float[2 * 3 * height * width];
        RgbImage picture = TinyData.Pattern(width, height);
        ClipPreprocess.Normalize(picture, ImageStatistics.Clip.Mean, ImageStatistics.Clip.Std, image.AsSpan(0, image.Length / 2));
        image.AsSpan(0, image.Length / 2).CopyTo(image.AsSpan(image.Length / 2));
        image.AsSpan(image.Length / 2).Reverse();
        using var tape = new Tape(device, recording: false);
        using var pictures = device.FromHost(image, new Shape(2, 3, height, width));
        float[] expected = loaded.Model.Forward(tape, pictures, tape.Constant(device.FromHost(embeddings, new Shape(4, 64)))).Value.ToArray();

        using var session = new InferenceSession(path);
        using var options = new RunOptions();
        using var one = OrtValue.CreateTensorValueFromMemory(image, [2, 3, height, width]);
        using var two = OrtValue.CreateTensorValueFromMemory(embeddings, [4, 64]);
        using var outputs = session.Run(options, ["image", "classes"], [one, two], ["logits"]);
        float[] actual = outputs[0].GetTensorDataAsSpan<float>().ToArray();
        double largest = Math.Max(1, expected.Max(Math.Abs)), error = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(error <= 1e-4 * largest, $"{height}x{width}: {error} of {largest}");
    }
}
