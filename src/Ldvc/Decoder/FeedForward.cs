using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Kernels;

namespace Ldvc.Decoder;

/// <summary>fc2( drop( relu( fc1 x ) ) ).</summary>
internal sealed class FeedForward : Module
{
    private readonly Linear _fc1;
    private readonly Linear _fc2;

    internal FeedForward(Initializer init, int width, int ratio)
    {
        _fc1 = Add("fc1", new Linear(init, width, ratio * width));
        _fc2 = Add("fc2", new Linear(init, ratio * width, width));
    }

    internal Variable Forward(Tape tape, Variable x, float dropout)
    {
        using var scope = tape.BeginScope();
        var hidden = tape.Dropout(_fc1.Forward(tape, x, Activation.Relu), dropout);
        return scope.Keep(_fc2.Forward(tape, hidden));
    }
}
