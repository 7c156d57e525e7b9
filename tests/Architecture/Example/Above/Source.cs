using Ldvc.Tests.Architecture.Example.Below;

namespace Ldvc.Tests.Architecture.Example.Above;

/// <summary>Every member names a type of another namespace in another way.</summary>
internal static class Source
{
    internal static object? Signature(Target? target) => target;

    internal static int Body() => Target.Number;

    internal static int Generic() => Array.Empty<Target>().Length;

    internal static bool Caught()
    {
        try
        {
            return GC.TryStartNoGCRegion(-1);
        }
        catch (Target)
        {
            return false;
        }
    }

    [Mark]
    internal static int Attributed() => 0;

    internal static Func<int> FromLambda() => () => Target.Number;

    internal static IEnumerable<int> Iterated()
    {
        yield return Target.Number;
    }
}
