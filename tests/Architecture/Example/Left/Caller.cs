namespace Ldvc.Tests.Architecture.Example.Left;

/// <summary>Half of a cycle that only a method's body shows.</summary>
internal class Caller
{
    internal static Func<object> Call() => () => new Right.Callee();
}
