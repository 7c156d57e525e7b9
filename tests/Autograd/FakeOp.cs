namespace Ldvc.Autograd.Ops;

/// <summary>An operation without cases: the coverage test must find it.</summary>
internal static class FakeOp
{
    internal static Variable Fake(this Tape tape, Variable x) => tape.Result(x.Value.Share(), x);
}
