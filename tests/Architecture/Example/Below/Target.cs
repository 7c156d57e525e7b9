namespace Ldvc.Tests.Architecture.Example.Below;

/// <summary>Is named in many places of <see cref="Above.Source"/>.</summary>
internal sealed class Target : Exception
{
    internal static readonly int Number = Environment.ProcessorCount;
}

/// <summary>The same as an attribute.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MarkAttribute : Attribute;
