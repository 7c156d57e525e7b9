using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Autograd.Optimizers;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.MatMul;
using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Ptx;

/// <summary>
/// LDVC on a ViT-B/16 whose weights are what memory holds, stored as the device's precision has them, with its optimiser, a picture and labels.
/// </summary>
internal sealed class PtxSystem : IDisposable
{
    private const int Size = 512;
    private readonly Device _device;
    private readonly ClipModel _clip;
    private readonly LdvcModel _model;
    private readonly AdamW _optimizer;
    private readonly Tensor _image;
    private readonly Tensor _labels;
    private readonly TokenBatch _texts;

    /// <summary>Creates it for so many pictures a step, of a data set with so many seen classes.</summary>
    internal PtxSystem(Device device, int batch = 1, int classes = 15)
    {
        (_device, _texts) = (device, Tokens(classes));
        var config = new Clip.ClipConfig(new TowerConfig(768, 12, 12, 3072), new TowerConfig(512, 12, 8, 2048), 512, 224, 16, 77, 49408);
        _clip = new ClipModel(new Weights(device), config);
        _model = new LdvcModel(_clip, new ModelConfig(), new Initializer(device, 2), Tokens(1));
        _optimizer = new AdamW(_model.Parameters(), 0.9f, 0.999f, 1e-8f, _ => 0.01f);
        _image = device.Empty(new Shape(batch, 3, Size, Size));
        _labels = device.Empty(new Shape(batch, Size, Size), DType.UInt8);
    }

    /// <summary>One step; the call is told of each phase as it ends.</summary>
    internal void Train(Action<string>? ended = null)
    {
        var loss = new LossConfig();
        using var tape = new Tape(_device, recording: true, 1);
        using var classes = _model.EncodeClasses(tape, _texts);
        ended?.Invoke("texts, forward");
        var (token, patches) = _model.EncodeImage(tape, _image);
        ended?.Invoke("picture, forward");
        int grid = Size / 16;
        using var logits = _model.Decode(tape, token, patches, classes, grid, grid);
        token.Dispose();
        patches.Dispose();
        ended?.Invoke("decoder, forward");
        using var total = tape.MaskLoss(logits, _labels, (float)loss.Focal, (float)loss.Dice, (float)loss.Alpha, out var parts);
        parts.Dispose();
        ended?.Invoke("loss");
        tape.Backward(total);
        ended?.Invoke("backward");
        using var status = _device.Empty(new Shape(1));
        _optimizer.FindNotFiniteGradient(status);
        _optimizer.Step(1e-5f);
        ended?.Invoke("optimiser");
    }

    /// <summary>A picture of one window among PASCAL VOC's 20 classes and a background.</summary>
    internal void Segment()
    {
        using var tape = new Tape(_device, recording: false);
        using var classes = _model.EncodeClasses(tape, Tokens(20));
        using var segmenter = new Segmenter(
            _model,
            classes.Value.Share(),
            new float[20],
            new EvalConfig { ShortSide = Size, Window = Size, Stride = Size },
            new Imaging.ImageStatistics("none", [0, 0, 0], [1, 1, 1]));
        segmenter.Segment(new RgbImage(Size, Size), background: 0.1);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _labels.Dispose();
        _image.Dispose();
        _optimizer.Dispose();
        _model.Dispose();
        _clip.Dispose();
    }

    // "a photo of a ...": start, four words, three tokens of a name, end.
    private static TokenBatch Tokens(int count)
    {
        const int context = 77, length = 9;
        var ids = new int[count * context];
        for (int i = 0; i < count; i++)
        {
            for (int j = 0; j < length; j++)
            {
                ids[(i * context) + j] = j == 0 ? 49406 : j == length - 1 ? 49407 : 1000 + j + i;
            }
        }

        return TokenBatch.Create(ids, count);
    }

    /// <summary>Frozen weights of the right shape and type, as a checkpoint's are.</summary>
    private sealed class Weights(Device device) : IWeightSource
    {
        /// <inheritdoc/>
        public Parameter Get(string name, Shape shape, double std, float constant = 0) => new(device.Empty(shape), trainable: false);

        /// <inheritdoc/>
        public Parameter GetMatrix(string name, Shape shape, double std) => new(
            device.Empty(shape, name.StartsWith("visual.", StringComparison.Ordinal) ? MatMulPlan.StoredType(device, shape) : DType.Float32),
            trainable: false);

        /// <inheritdoc/>
        public Parameter GetProjection(string name, int outputs, int inputs, double std) => GetMatrix(name, new Shape(outputs, inputs), std);
    }
}
