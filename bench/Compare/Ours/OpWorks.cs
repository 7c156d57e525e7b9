using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Tensors;

namespace Ldvc.Bench.Compare.Ours;

/// <summary>y = x W^T.</summary>
internal sealed class GemmWork : OurWork
{
    private readonly Tensor _x;
    private readonly Parameter _weight;

    internal GemmWork(string folder, WorkDevice on)
        : base(folder, on)
    {
        _x = Input("x");
        _weight = new Parameter(Input("w"), trainable: false);
    }

    public override IReadOnlyList<Named> Check()
    {
        using var tape = new Tape(Device, recording: false);
        return [Out("y", tape.Linear(tape.Constant(_x.Share()), _weight, null).Value)];
    }

    public override void Run()
    {
        using var tape = new Tape(Device, recording: false);
        tape.Linear(tape.Constant(_x.Share()), _weight, null);
    }
}

/// <summary>Multi-head attention from a packed projection, forward or both ways.</summary>
internal sealed class AttentionWork : OurWork
{
    private readonly Tensor _qkv;
    private readonly Tensor _dy;
    private readonly int _heads;
    private readonly bool _backward;

    internal AttentionWork(PeerCase @case, string folder, WorkDevice on)
        : base(folder, on)
    {
        (_qkv, _dy, _heads, _backward) = (Input("qkv"), Input("dy"), @case["heads"], @case["backward"] == 1);
    }

    public override IReadOnlyList<Named> Check() => Once(true);

    public override void Run() => Once(false);

    private List<Named> Once(bool check)
    {
        using var tape = new Tape(Device, recording: _backward);
        var input = _backward ? tape.Input(_qkv.Share()) : tape.Constant(_qkv.Share());
        var y = tape.SelfAttention(input, _heads, causal: false);
        var outputs = new List<Named>();
        if (check)
        {
            outputs.Add(Out("y", y.Value));
        }

        if (_backward)
        {
            tape.Backward(y, _dy);
            if (check)
            {
                outputs.Add(Out("grad.qkv", input.Gradient!));
            }
        }

        return outputs;
    }
}

/// <summary>Route attention, forward and backward, with the choice of windows.</summary>
internal sealed class RouteWork : OurWork
{
    private readonly Tensor[] _inputs;
    private readonly PeerCase _case;

    internal RouteWork(PeerCase @case, string folder, WorkDevice on)
        : base(folder, on)
    {
        _case = @case;
        _inputs = [Input("q"), Input("k"), Input("v"), Input("dy")];
    }

    public override IReadOnlyList<Named> Check() => Once(true);

    public override void Run() => Once(false);

    private List<Named> Once(bool check)
    {
        using var tape = new Tape(Device, recording: true);
        Variable q = tape.Input(_inputs[0].Share()), k = tape.Input(_inputs[1].Share()), v = tape.Input(_inputs[2].Share());
        var y = tape.RouteAttention(q, k, v, _case["heads"], _case["grid"], _case["grid"], _case["s"], _case["k"]);
        List<Named> outputs = check ? [Out("y", y.Value)] : [];
        tape.Backward(y, _inputs[3]);
        if (check)
        {
            outputs.AddRange([Out("grad.q", q.Gradient!), Out("grad.k", k.Gradient!), Out("grad.v", v.Gradient!)]);
        }

        return outputs;
    }
}

/// <summary>Upsampling, focal and dice loss, forward and backward.</summary>
internal sealed class MaskWork : OurWork
{
    private readonly Tensor _z;
    private readonly Tensor _labels;

    internal MaskWork(PeerCase @case, string folder, WorkDevice on)
        : base(folder, on)
    {
        _z = Input("z");
        _labels = Device.FromHost(Array.ConvertAll(Integers("labels"), l => (byte)l), new Shape(1, @case["size"], @case["size"]));
    }

    public override IReadOnlyList<Named> Check() => Once(true);

    public override void Run() => Once(false);

    private List<Named> Once(bool check)
    {
        using var tape = new Tape(Device, recording: true);
        var z = tape.Input(_z.Share());
        var loss = tape.MaskLoss(z, _labels, 100, 1, 0.25f, out var parts);
        using (parts)
        {
            List<Named> outputs = check ? [Out("loss", parts)] : [];
            tape.Backward(loss);
            if (check)
            {
                outputs.Add(Out("grad.z", z.Gradient!));
            }

            return outputs;
        }
    }
}
