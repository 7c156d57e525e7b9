using Ldvc.Autograd;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Inference;
using Ldvc.Kernels;
using Ldvc.Kernels.Devices;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.MatMul;
using Ldvc.Kernels.MatMul.Gpu;
using Ldvc.Kernels.MatMul.TensorCore;
using Ldvc.Kernels.Reduction;
using Ldvc.Lab.Pretraining;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Tests.Kernels;
using Ldvc.Tests.Serialization;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// What fp16 needs beyond bf16, whose range is float32's: small gradients are scaled, large numbers are not taken for infinities in silence.
/// </summary>
[Collection("simulator")]
public class Fp16Tests(SimulatorFixture fixture)
{
    private const int Edge = 16;

    // Gradients of 1e-8 are below fp16's smallest number, 6e-8. Float32 to float32, float32 to fp16, fp16 to float32.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SmallGradientsKeepTheirBits(bool portable)
    {
        var device = fixture.Twin.Device;
        var launcher = KernelSet.For(device).Launcher!;
        IMatMulKernels kernels = portable ? new WidenedMatMul(launcher, new GpuMatMul(launcher)) : new TensorCoreMatMul(launcher, Precision.Fp16);
        float[] values = [.. TensorCoreReference.Rounded(TensorCoreReference.Normal(Edge * Edge, 1), DType.Float16)
            .Select(x => x * MathF.ScaleB(1, -26))];
        float[] weights = TensorCoreReference.Rounded(TensorCoreReference.Normal(Edge * Edge, 2), DType.Float16);
        var shape = new Shape(Edge * Edge);
        using Tensor dy = device.FromHost(values, shape), w = device.FromHostRounded(
            weights, shape, DType.Float16), dx = device.Empty(shape), scale = device.Empty(new Shape(2));
        using Tensor stored = device.Empty(shape, DType.Float16), back = device.Empty(shape);
        KernelSet.For(device).Reduction.GradientScale(dy, dy.Count, scale);
        var gemm = new Gemm(Edge, Edge, Edge, dy, w, dx) { GradientScale = scale };
        kernels.Run(gemm);
        kernels.Run(gemm with { C = stored });
        kernels.Run(gemm with { A = stored, C = back });
        double[] first = Product([.. values.Select(x => (double)x)], weights), second = Product(first, weights);
        float unscaled = scale.ToArray()[1];
        Assert.InRange(values.Max(MathF.Abs) / unscaled, 8, 16);
        AttentionReference.Close(first, dx.ToArray(), 2e-6, "float32");
        AttentionReference.Close(first, [.. TensorCoreReference.Widened(stored).Select(x => x * unscaled)], 5e-4, "fp16");
        AttentionReference.Close(second, back.ToArray(), 1e-3, "back in float32");
    }

    [Theory]
    [InlineData(0f, 1f)]
    [InlineData(3f, 4f)]
    [InlineData(-1f, 8f)]
    [InlineData(16f, 0.5f)]
    [InlineData(1e-45f, 8.507059e37f)]
    [InlineData(3e38f, 4.7019774e-38f)]
    [InlineData(float.NaN, 1f)]
    [InlineData(float.PositiveInfinity, 1f)]
    public void TheScaleIsAPowerOfTwo(float largest, float expected)
    {
        int exponent = GradientScaling.Exponent(BitConverter.SingleToInt32Bits(MathF.Abs(largest)));
        float scale = BitConverter.Int32BitsToSingle(exponent << 23), inverse = BitConverter.Int32BitsToSingle((254 - exponent) << 23);
        Assert.Equal((expected, 1f), (scale, scale * inverse));
    }

    // 65520 is halfway between fp16's largest number and the next.
    [Theory]
    [InlineData(65518f, false)]
    [InlineData(-65520f, true)]
    [InlineData(float.MaxValue, true)]
    [InlineData(float.PositiveInfinity, false)]
    [InlineData(float.NaN, false)]
    public void NumbersThatAreTooLargeAreSeen(float value, bool seen)
    {
        var device = fixture.Twin.Device;
        var launcher = KernelSet.For(device).Launcher!;
        var half = launcher.Half;
        var shape = new Shape(Edge * Edge);
        var numbers = new float[Edge * Edge];
        numbers[37] = value;
        float[] ones = [.. Enumerable.Range(0, Edge * Edge).Select(i => i / Edge == i % Edge ? 1f : 0)];
        using Tensor x = device.FromHost(numbers, shape), identity = device.FromHostRounded(ones, shape, DType.Float16),
            c = device.Empty(shape, DType.Float16), bias = device.FromHost(numbers.AsSpan(32, Edge), new Shape(Edge));
        half.Take();
        var kernels = new TensorCoreMatMul(launcher, Precision.Fp16);

        // Where an operand is rounded.
        kernels.Run(new Gemm(Edge, Edge, Edge, x, identity, c));
        Assert.Equal((seen, false), (half.Take(), half.Take()));

        // In an epilogue.
        kernels.Run(new Gemm(Edge, Edge, Edge, identity, identity, c) { Bias = bias });
        Assert.Equal(seen, half.Take());

        // In a normalisation: row 0 is -1, 1, ..., whose scale is the number.
        using Tensor rows = device.FromHost(
            [.. Enumerable.Range(0, Edge).Select(i => i % 2 == 0 ? -1f : 1f)],
            new Shape(1, Edge)), mean = device.Empty(new Shape(1)), rstd = device.Empty(new Shape(1)), zeros = device.Zeros(bias.Shape);
        KernelSet.For(device).Normalization.LayerNorm(rows, bias, zeros, c, mean, rstd, 1, Edge, 0);
        Assert.Equal(seen, half.Take());
    }

    [Fact]
    public void TrainingStopsAndSaysWhatHelps()
    {
        // Kernels are not run: what the step would compute does not matter, a number was too large.
        using var device = DeviceFactory.Open("simulator");
        var launcher = KernelSet.For(device).Launcher!;
        launcher.Recorder = _ => { };
        device.Precision = Precision.Fp16;
        var config = new LdvcConfig
        {
            Augment = new AugmentConfig { Scale = [96, 64], Crop = 64 },
            Train = new TrainConfig { Batch = 1 },
            Data = new DataConfig { Workers = 1 },
        };
        using var loaded = LoadedModel.Create(TinyClip.Folder, config.Model, device, 5);
        using var trainer = new LdvcTrainer(loaded, new MemoryDataset(2), config);
        Mark(launcher);
        string message = Assert.Throws<InputException>(() => trainer.RunStep()).Message;
        Assert.StartsWith(
            "training stopped at step 0: a number beyond 65504, the largest of fp16, was to be stored; precision bf16 holds it: resume with "
                + "train.precision=bf16 (pictures ",
            message,
            StringComparison.Ordinal);
        Assert.False(Fp16Overflow.Take(device));

        // The weights are those of the step before: a run saves them, and goes on in another precision.
        Assert.False(trainer.HasDiverged);
        trainer.Compose();
    }

    [Fact]
    public void PretrainingStopsAndCanGoOn()
    {
        using var device = DeviceFactory.Open("simulator");
        var launcher = KernelSet.For(device).Launcher!;
        launcher.Recorder = _ => { };
        device.Precision = Precision.Fp16;
        var config = new PretrainConfig
        {
            Vision = new VisionTowerConfig { Image = 32, Width = 64, Layers = 1 },
            Text = new TextTowerConfig { Width = 64, Layers = 1 },
            Captions = new CaptionConfig { Vocabulary = SceneVocabulary.Scenes },
            Embed = 32,
            Batch = 2,
        };
        using var trainer = new Pretrainer(config, device, 1);
        Mark(launcher);
        Assert.Equal(
            "pretraining stopped at step 0: a number beyond 65504, the largest of fp16, was to be stored; precision bf16 holds it: resume with "
                + "pretrain.precision=bf16",
            Assert.Throws<InputException>(() => ((ITrainable)trainer).Advance()).Message);
        Assert.False(trainer.HasDiverged);
    }

    /// <summary>
    /// What comes out of a forward is not used when a number was too large on its way, and the next forward has nothing to do with it.
    /// </summary>
    [Theory]
    [InlineData("pictures")]
    [InlineData("texts")]
    [InlineData("templates")]
    [InlineData("classes")]
    [InlineData("routes")]
    public void ForwardsAreRefused(string what)
    {
        using var device = DeviceFactory.Open("simulator");
        var launcher = KernelSet.For(device).Launcher!;
        launcher.Recorder = _ => { };
        device.Precision = Precision.Fp16;
        using var data = new TinyData();
        data.Picture(64, 64, "a.png");
        var model = new ModelConfig { Decoder = new DecoderConfig { Attention = SelfAttention.None } };
        using LoadedModel loaded = LoadedModel.Create(TinyClip.Folder, model, device, 5);
        using ClipEmbedder embedder = ClipEmbedder.Load(TinyClip.Folder, device);
        using Tensor classes = device.Zeros(new Shape(2, loaded.Clip.Config.Embedding));
        Mark(launcher);
        Action run = what switch
        {
            "pictures" => () => embedder.EmbedImages([data.At("a.png")]),
            "texts" => () => embedder.EmbedTexts(["a cat"]),
            "templates" => () => embedder.EmbedClasses(["cat"], ["a {class}"]),
            "classes" => () => loaded.EmbedClasses(["cat"]).Dispose(),
            _ => () => RouteMap.Choices(loaded, classes, TinyData.Pattern(64, 64), loaded.Statistics),
        };
        Assert.Equal($"simulator: {Fp16Overflow.Message}", Assert.Throws<InputException>(run).Message);
        Assert.False(Fp16Overflow.Take(device));
    }

    [Theory]
    [InlineData("fp16", 70000f, "holds 70000 (value 7 of 16384), expected numbers up to 65504 for precision fp16; bf16 and tf32 hold larger ones.")]
    [InlineData("fp16", 65510f, null)]
    [InlineData("bf16", 70000f, null)]
    public void WeightsThatAreTooLargeAreRefusedByName(string precision, float value, string? error)
    {
        const string name = "vision_model.encoder.layers.1.self_attn.out_proj.weight";
        using var folder = new TempFolder();
        string clip = TinyClip.Edited(folder, archive => archive.Floats[name].Values[6] = value);
        using var device = DeviceFactory.Open("simulator");
        device.Precision = Enum.Parse<Precision>(precision, ignoreCase: true);
        if (error is null)
        {
            using var model = ClipCheckpoint.Find(clip).Load(device);
            return;
        }

        string message = Assert.Throws<InputException>(() => ClipCheckpoint.Find(clip).Load(device).Dispose()).Message;
        Assert.Contains($"tensor '{name}' {error}", message, StringComparison.Ordinal);
    }

    // A number was too large.
    private static void Mark(GpuLauncher launcher)
    {
        View mark = launcher.Half.Overflow;
        launcher.Device.Upload(mark.Storage, mark.Offset * sizeof(int), BitConverter.GetBytes(1));
    }

    private static double[] Product(double[] a, float[] b) =>
        [.. Enumerable.Range(0, Edge * Edge).Select(i => Enumerable.Range(0, Edge).Sum(k => a[(i / Edge * Edge) + k] * b[(k * Edge) + (i % Edge)]))];
}
