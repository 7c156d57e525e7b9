using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Interop;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Serialization;
using Microsoft.ML.OnnxRuntime;
using Xunit;

namespace Ldvc.Tests.Interop;

/// <summary>
/// Exported models in ONNX Runtime against the model here: every decoder, head and self-attention, random weights, several sizes, batches and numbers
/// of classes.
/// </summary>
public sealed class OnnxExportTests : IDisposable
{
    private const double Bound = 1e-4;

    private readonly TempFolder _folder = new();
    private readonly CpuDevice _device = new(2);

    public static TheoryData<DecoderKind, MaskHead, SelfAttention> Forms => new()
    {
        { DecoderKind.VisionQuery, MaskHead.Attention, SelfAttention.Route },
        { DecoderKind.VisionQuery, MaskHead.Attention, SelfAttention.Full },
        { DecoderKind.VisionQuery, MaskHead.Attention, SelfAttention.None },
        { DecoderKind.VisionQuery, MaskHead.Dot, SelfAttention.Route },
        { DecoderKind.VisionQuery, MaskHead.Dot, SelfAttention.Full },
        { DecoderKind.VisionQuery, MaskHead.Dot, SelfAttention.None },
        { DecoderKind.ClassQuery, MaskHead.Attention, SelfAttention.None },
        { DecoderKind.ClassQuery, MaskHead.Dot, SelfAttention.Route },
    };

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void IsTheModelHere(DecoderKind kind, MaskHead head, SelfAttention attention)
    {
        var config = new ModelConfig
        {
            Head = head,
            ClsTwice = kind == DecoderKind.ClassQuery,
            Prompts = new PromptConfig { Vision = 3, Text = 0 },
            Decoder = new DecoderConfig { Kind = kind, Attention = attention, Heads = 4, Windows = 3, Topk = 2 },
        };
        using var clip = TinyClip.Load(_device);
        using var model = Random(clip, config, 7);

        // The CLIP's own grid, and one of 7 x 10 patches: positions are resized, windows at the border are smaller.
        CheckAll(model, config, 96, 96);
        CheckAll(model, config, 112, 160);
    }

    [Theory]
    [InlineData(0, 1, 1, 1)]
    [InlineData(2, 2, 2, 100)]
    [InlineData(4, 3, 5, 3)]
    public void PromptsLayersAndWindowsOfOtherNumbers(int prompts, int layers, int windows, int topk)
    {
        var config = new ModelConfig
        {
            Prompts = new PromptConfig { Vision = prompts, Text = 0 },
            Decoder = new DecoderConfig { Layers = layers, Heads = 2, FfnRatio = 2, Windows = windows, Topk = topk },
        };
        using var clip = TinyClip.Load(_device);
        using var model = Random(clip, config, 3);
        CheckAll(model, config, 80, 128);
    }

    // GELU, heads of 80, an epsilon of its own.
    [Theory]
    [InlineData("h14-small", 42, 70)]
    [InlineData("l14-336-small", 56, 28)]
    public void OtherClipsAreExportedAsWell(string name, int height, int width)
    {
        var config = new ModelConfig
        {
            Prompts = new PromptConfig { Vision = 2, Text = 0 },
            Decoder = new DecoderConfig { Heads = 4, Windows = 2, Topk = 2 }
        };
        using var clip = ClipModel.Load(TestFiles.Data("clips", name), _device);
        using var model = Random(clip, config, 5);
        CheckAll(model, config, height, width);
    }

    // What a model of more than 2 GiB looks like, with a limit that this one exceeds.
    [Fact]
    public void LargeModelsKeepTheirWeightsInASecondFile()
    {
        var config = new ModelConfig { Prompts = new PromptConfig { Vision = 2, Text = 0 } };
        using var clip = TinyClip.Load(_device);
        using var model = Random(clip, config, 1);
        string one = _folder.File("one.onnx"), two = _folder.File("two.onnx");
        Assert.Equal([one], OnnxExport.Write(one, model, config, 96, 96));
        Assert.Equal([two, two + ".data"], OnnxExport.Write(two, model, config, 96, 96, 1 << 20));
        Assert.True(new FileInfo(two).Length < 1 << 20);
        Assert.True(new FileInfo(two + ".data").Length > new FileInfo(one).Length / 2);
        var (image, classes) = Inputs(1, 2, 96, 96);
        Assert.Equal(Onnx(one, image, classes, 1, 2, 96, 96), Onnx(two, image, classes, 1, 2, 96, 96));
    }

    [Fact]
    public void SizesThatTheModelCannotTakeAreRefused()
    {
        var config = new ModelConfig { Prompts = new PromptConfig { Vision = 0, Text = 0 } };
        using var clip = TinyClip.Load(_device);
        using var model = Random(clip, config, 1);
        foreach (var (height, width) in new[] { (0, 16), (16, 24), (8, 16), (16, 16384) })
        {
            Assert.Contains(
                "expected multiples of this CLIP's patch of 16",
                Assert.Throws<InputException>(() => OnnxExport.Write(_folder.File("no.onnx"), model, config, height, width)).Message);
        }

        Assert.Empty(Directory.GetFiles(_folder.Root));
    }

    private void CheckAll(LdvcModel model, ModelConfig config, int height, int width)
    {
        string path = _folder.File("model.onnx");
        OnnxExport.Write(path, model, config, height, width);
        foreach (var (batch, count) in new[] { (1, 5), (3, 1), (2, 20) })
        {
            var (image, classes) = Inputs(batch, count, height, width, model.Clip.Config.Embedding);
            float[] expected = Ours(model, image, classes, batch, count, height, width), actual = Onnx(
                path, image, classes, batch, count, height, width, model.Clip.Config.Embedding);
            Assert.Equal(expected.Length, actual.Length);
            double largest = expected.Max(Math.Abs), error = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
            Assert.True(largest > 1e-3, $"logits of at most {largest} show nothing");
            Assert.True(error <= Bound * Math.Max(1, largest), $"{height}x{width}, {batch} pictures, {count} classes: {error} of {largest}");
        }
    }

    // Everything trainable is drawn anew: PyTorch's initial norms and biases would hide mistakes.
    private LdvcModel Random(ClipModel clip, ModelConfig config, ulong seed)
    {
        var model = new LdvcModel(clip, config, new Initializer(_device, seed), null);
        var random = new CounterRandom(seed, 1);
        foreach (var (name, parameter) in model.Parameters())
        {
            bool weight = name.EndsWith("norm.weight", StringComparison.Ordinal) || name.Contains("norm1.w", StringComparison.Ordinal)
                || name.Contains("norm2.w", StringComparison.Ordinal) || name.Contains("norm3.w", StringComparison.Ordinal);
            double scale = parameter.Shape.Rank == 1 ? 0.2 : 1.2 / Math.Sqrt(parameter.Shape[-1]);
            parameter.Value.CopyFromHost<float>([.. Enumerable.Range(0, (int)parameter.Value.Count)
                .Select(_ => (float)((weight ? 1 : 0) + (scale * 2 * (random.NextDouble() - 0.5) * Math.Sqrt(3))))]);
        }

        return model;
    }

    private static (float[] Image, float[] Classes) Inputs(int batch, int count, int height, int width, int embedding = 64)
    {
        var random = new CounterRandom(11, (ulong)(batch * count));
        float[] image = [.. Enumerable.Range(0, batch * 3 * height * width).Select(_ => (float)((random.NextDouble() - 0.5) * 4))];
        float[] classes = [.. Enumerable.Range(0, count * embedding).Select(_ => (float)(random.NextDouble() - 0.5))];
        for (int c = 0; c < count; c++)
        {
            Span<float> row = classes.AsSpan(c * embedding, embedding);
            float length = MathF.Sqrt(row.ToArray().Sum(v => v * v));
            for (int i = 0; i < embedding; i++)
            {
                row[i] /= length;
            }
        }

        return (image, classes);
    }

    private float[] Ours(LdvcModel model, float[] image, float[] classes, int batch, int count, int height, int width)
    {
        using var tape = new Tape(_device, recording: false);
        using var pictures = _device.FromHost(image, new Shape(batch, 3, height, width));
        var texts = tape.Constant(_device.FromHost(classes, new Shape(count, classes.Length / count)));
        return model.Forward(tape, pictures, texts).Value.ToArray();
    }

    private static float[] Onnx(string path, float[] image, float[] classes, int batch, int count, int height, int width, int embedding = 64)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(path, options);
        using var run = new RunOptions();
        using var one = OrtValue.CreateTensorValueFromMemory(image, [batch, 3, height, width]);
        using var two = OrtValue.CreateTensorValueFromMemory(classes, [count, embedding]);
        using var outputs = session.Run(run, ["image", "classes"], [one, two], ["logits"]);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
