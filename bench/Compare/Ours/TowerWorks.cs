using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Clip;
using Ldvc.Prompts;
using Ldvc.Tensors;

namespace Ldvc.Bench.Compare.Ours;

/// <summary>CLIP's picture feature.</summary>
internal sealed class EncoderWork : OurWork
{
    private readonly VisionTower _tower;
    private readonly Tensor _image;

    internal EncoderWork(string folder, WorkDevice on)
        : base(folder, on)
    {
        using var archive = Clip();
        _tower = new VisionTower(new FileWeights(archive, Device), PeerData.ViTB16);
        _image = Input("image");
    }

    public override IReadOnlyList<Named> Check()
    {
        using var tape = new Tape(Device, recording: false);
        return [Out("feature", _tower.Encode(tape, _image).Value)];
    }

    public override void Run()
    {
        using var tape = new Tape(Device, recording: false);
        _tower.Encode(tape, _image);
    }
}

/// <summary>
/// CLIP's text features of full length: the cut to the longest text, which is exact, is left out so that every engine does the same work.
/// </summary>
internal sealed class TextWork : OurWork
{
    private readonly TextTower _tower;
    private readonly TokenBatch _texts;

    internal TextWork(PeerCase @case, string folder, WorkDevice on)
        : base(folder, on)
    {
        using var archive = Clip();
        _tower = new TextTower(new FileWeights(archive, Device), PeerData.ViTB16);
        _texts = TokenBatch.Create(Integers("ids"), @case["count"], truncate: false);
    }

    public override IReadOnlyList<Named> Check()
    {
        using var tape = new Tape(Device, recording: false);
        return [Out("features", _tower.Encode(tape, _texts).Value)];
    }

    public override void Run()
    {
        using var tape = new Tape(Device, recording: false);
        _tower.Encode(tape, _texts);
    }
}

/// <summary>The prompted encoder forward, and backward to the prompts of every layer.</summary>
internal sealed class PromptsWork : OurWork
{
    private readonly VisionTower _tower;
    private readonly VisionPrompts _prompts;
    private readonly Tensor _image;
    private readonly Tensor _dg;
    private readonly Tensor _dv;

    internal PromptsWork(PeerCase @case, string folder, WorkDevice on)
        : base(folder, on)
    {
        using var archive = Clip();
        _tower = new VisionTower(new FileWeights(archive, Device), PeerData.ViTB16);
        _prompts = Models.Prompts(Device, @case["prompts"]);
        Models.Fill(_prompts, folder, "visual.prompt.");
        (_image, _dg, _dv) = (Input("image"), Input("dg"), Input("dv"));
    }

    public override IReadOnlyList<Named> Check()
    {
        var outputs = Once(true);
        outputs.AddRange(Gradients(_prompts.Parameters("visual.prompt.")));
        return outputs;
    }

    public override void Run()
    {
        Once(false);
        foreach (var (_, parameter) in _prompts.Parameters())
        {
            parameter.ClearGradient();
        }
    }

    private List<Named> Once(bool check)
    {
        using var tape = new Tape(Device, recording: true);
        var (g, v) = _prompts.Encode(tape, _tower, _image, false);
        List<Named> outputs = check ? [Out("g", g.Value), Out("v", v.Value)] : [];
        g.AddGradient(_dg);
        tape.Backward(v, _dv);
        return outputs;
    }
}
