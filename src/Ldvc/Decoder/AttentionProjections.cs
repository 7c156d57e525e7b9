using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;

namespace Ldvc.Decoder;

/// <summary>The four linears of a multi-head attention: self.{q,k,v,o} or cross.{q,k,v,o}.</summary>
internal sealed class AttentionProjections : Module
{
    internal AttentionProjections(Initializer init, int width)
    {
        Linear[] inner = [new Linear(init, width, width), new Linear(init, width, width), new Linear(init, width, width)];
        Together = init.Device.StartsAreDear;
        inner = Together ? Linear.Join(inner) : inner;
        Query = Add("q", inner[0]);
        Key = Add("k", inner[1]);
        Value = Add("v", inner[2]);
        Output = Add("o", new Linear(init, width, width));
    }

    /// <summary>Whether queries, keys and values of one input are better computed together.</summary>
    internal bool Together { get; }

    internal Linear Query { get; }

    internal Linear Key { get; }

    internal Linear Value { get; }

    internal Linear Output { get; }

    /// <summary>Keys [B, N, D] of tokens [B, N, D], for attention alone.</summary>
    internal Variable Keys(Tape tape, Variable tokens) => tape.Linear(tokens, Key.Weight, KeyBias(tape));

    /// <summary>Queries, keys and values of tokens [B, N, D] side by side, [B, N, 3 D], for route attention.</summary>
    internal Variable QueriesKeysValues(Tape tape, Variable tokens) =>
        tape.JoinedLinear(tokens, [Query.Weight, Key.Weight, Value.Weight], [Query.Bias!, KeyBias(tape), Value.Bias!], decidesRoutes: true);

    /// <summary>Keys and values of tokens [B, N, D] side by side, [B, N, 2 D].</summary>
    internal Variable KeysValues(Tape tape, Variable tokens) => tape.JoinedLinear(tokens, [Key.Weight, Value.Weight], [KeyBias(tape), Value.Bias!]);

    // What is added to every key moves all scores of a query alike, which softmax does not see: the bias has no gradient. Computed, it would be
    // rounding that AdamW makes whole steps of, since it divides by the gradient's size, and two orders of the same sums would train two models.
    private Variable KeyBias(Tape tape) => tape.Constant(Key.Bias!.Value.Share());
}
