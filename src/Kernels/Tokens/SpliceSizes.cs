namespace Ldvc.Kernels.Tokens;

/// <summary>Tokens put into sequences: x [Batch, Length, Width] loses tokens Start .. Start + Dropped, and Count others take their place.</summary>
/// <param name="Batch">Sequences.</param>
/// <param name="Length">Tokens of a sequence before.</param>
/// <param name="Width">Floats of a token.</param>
/// <param name="Start">The first token that goes.</param>
/// <param name="Dropped">How many go.</param>
/// <param name="Count">How many come.</param>
/// <param name="Own">Whether each sequence gets tokens of its own, [Batch, Count, Width]; else all get the same, [Count, Width].</param>
internal readonly record struct SpliceSizes(int Batch, int Length, int Width, int Start, int Dropped, int Count, bool Own)
{
    /// <summary>Tokens of a sequence after.</summary>
    internal int After => Length - Dropped + Count;

    /// <summary>Tokens of a sequence behind those that go.</summary>
    internal int Tail => Length - Start - Dropped;

    /// <summary>Floats of a sequence before.</summary>
    internal long InStride => (long)Length * Width;

    /// <summary>Floats of a sequence after.</summary>
    internal long OutStride => (long)After * Width;

    /// <summary>Floats of the tokens that come to a sequence.</summary>
    internal long Block => (long)Count * Width;
}
