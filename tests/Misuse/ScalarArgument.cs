using Ldvc.Autograd;

namespace Ldvc.Tests.Misuse;

/// <summary>
/// A number among the arguments of an operation, and how to call it with another one. The tensors are those of the operation's first case.
/// </summary>
/// <param name="Method">The operation's method on Tape.</param>
/// <param name="Parameter">The parameter's name.</param>
/// <param name="Call">Calls it; integers come as whole numbers.</param>
/// <param name="Wrong">Numbers that must be refused, besides NaN of a float.</param>
internal sealed record ScalarArgument(string Method, string Parameter, Func<Tape, Variable[], double, Variable> Call, params double[] Wrong);
