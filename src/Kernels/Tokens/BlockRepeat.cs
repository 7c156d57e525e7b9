namespace Ldvc.Kernels.Tokens;

/// <summary>The same movement of blocks several times, each so many floats further on: the pictures of a batch, the rows of a matrix.</summary>
internal readonly struct BlockRepeat
{
    // Less one: the default value is once, and an empty batch is not.
    private readonly int _more;

    /// <summary>Creates it.</summary>
    /// <param name="times">How often; 0 is not at all.</param>
    /// <param name="sourceStep">Floats between the sources.</param>
    /// <param name="targetStep">Floats between the targets.</param>
    internal BlockRepeat(int times, long sourceStep, long targetStep)
    {
        (_more, SourceStep, TargetStep) = (times - 1, sourceStep, targetStep);
    }

    internal int Count => _more + 1;

    internal long SourceStep { get; }

    internal long TargetStep { get; }
}
