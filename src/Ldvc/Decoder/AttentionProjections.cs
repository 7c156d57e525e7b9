using Ldvc.Autograd.Modules;

namespace Ldvc.Decoder;

/// <summary>The four linears of a multi-head attention: self.{q,k,v,o} or cross.{q,k,v,o}.</summary>
internal sealed class AttentionProjections : Module
{
    internal AttentionProjections(Initializer init, int width)
    {
        Query = Add("q", new Linear(init, width, width));
        Key = Add("k", new Linear(init, width, width));
        Value = Add("v", new Linear(init, width, width));
        Output = Add("o", new Linear(init, width, width));
    }

    internal Linear Query { get; }

    internal Linear Key { get; }

    internal Linear Value { get; }

    internal Linear Output { get; }
}
