using Ldvc.Autograd;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Bench.Compare.Ours;

/// <summary>
/// Sliding-window segmentation of a picture of two windows, with cached class embeddings; or the prompted encoder alone on one window.
/// </summary>
internal sealed class WindowWork : OurWork
{
    private readonly ClipModel _clip;
    private readonly LdvcModel _model;
    private readonly Segmenter _segmenter;
    private readonly RgbImage _picture;
    private readonly Tensor _image;
    private readonly bool _encoderAlone;

    internal WindowWork(PeerCase @case, string folder, WorkDevice on, bool encoderAlone)
        : base(folder, on)
    {
        _encoderAlone = encoderAlone;
        using (var archive = Clip())
        {
            _clip = new ClipModel(new FileWeights(archive, Device), PeerData.ViTB16);
        }

        _model = Models.Full(_clip, @case["prompts"], 0);
        Models.Fill(_model, folder, string.Empty);
        _image = Input("image");
        var texts = TokenBatch.Create(Integers("ids"), @case["classes"]);
        using var tape = new Tape(Device, recording: false);
        var classes = _model.EncodeClasses(tape, texts);
        int size = @case["size"], stride = 426;
        _segmenter = new Segmenter(
            _model,
            classes.Value.Share(),
            new float[@case["classes"]],
            new EvalConfig { ShortSide = size, Window = size, Stride = stride },
            Imaging.ImageStatistics.Clip);
        var random = new CounterRandom(7);
        _picture = new RgbImage(size + stride, size);
        for (int i = 0; i < _picture.Pixels.Length; i++)
        {
            _picture.Pixels[i] = (byte)random.NextInt(256);
        }
    }

    public override int Parts => _encoderAlone ? 1 : 2;

    public override IReadOnlyList<Named> Check() => [];

    public override void Run()
    {
        if (_encoderAlone)
        {
            using var tape = new Tape(Device, recording: false);
            _model.EncodeImage(tape, _image);
        }
        else
        {
            _segmenter.Segment(_picture);
        }
    }

    public override void Dispose()
    {
        _segmenter.Dispose();
        _model.Dispose();
        _clip.Dispose();
        base.Dispose();
    }
}
