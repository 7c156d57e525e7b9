namespace Ldvc.Tests.Architecture.Example.Right;

/// <summary>The other half.</summary>
internal sealed class Callee : Left.Caller;
