namespace Ldvc.Kernels.Tokens;

/// <summary>The same movement of blocks several times, each so many floats further on: the pictures of a batch, the rows of a matrix.</summary>
/// <param name="Times">How often; nothing, as in the default value, is once.</param>
/// <param name="SourceStep">Floats between the sources.</param>
/// <param name="TargetStep">Floats between the targets.</param>
internal readonly record struct BlockRepeat(int Times, long SourceStep, long TargetStep)
{
    internal int Count => Times == 0 ? 1 : Times;
}
