using Ldvc.Kernels.Attention;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Blocks;

/// <summary>Sizes of a <see cref="FrozenBlock"/>'s run.</summary>
internal readonly record struct BlockSizes
{
    internal BlockSizes(int batch, int tokens, int prefix, BlockWeights weights)
    {
        (Prefix, Width, Hidden, Rows) = (prefix, weights.Width, weights.Hidden, batch * tokens);
        int dim = Width / weights.Heads;
        float scale = 1f / MathF.Sqrt(dim);
        Attention = prefix == 0
            ? new AttentionSizes(batch, weights.Heads, tokens, tokens, dim, scale, weights.Causal, 0, 0)
            : new AttentionSizes(1, weights.Heads, Rows, prefix + Rows, dim, scale, true, 0, 0, Shared: prefix, Each: tokens);
    }

    /// <summary>Tokens that all sequences begin with; 0 for none.</summary>
    internal int Prefix { get; }

    /// <summary>Floats of a token.</summary>
    internal int Width { get; }

    /// <summary>Values between fc1 and fc2.</summary>
    internal int Hidden { get; }

    /// <summary>Tokens of x.</summary>
    internal int Rows { get; }

    /// <summary>Tokens of x and of the prefix, which comes first.</summary>
    internal int AllRows => Prefix + Rows;

    /// <summary>Floats of the prefix.</summary>
    internal long PrefixFloats => (long)Prefix * Width;

    /// <summary>The attention.</summary>
    internal AttentionSizes Attention { get; }

    /// <summary>Queries of x's tokens, and keys and values of all, side by side in [AllRows, 3 D].</summary>
    internal (TokenRows Q, TokenRows K, TokenRows V) Packed(View packed)
    {
        int row = 3 * Width;
        long picture = (long)Attention.Keys * row;
        return (
            new TokenRows(packed.Shift((long)Prefix * row), picture, row),
            new TokenRows(packed.Shift(Width), picture, row),
            new TokenRows(packed.Shift(2 * Width), picture, row));
    }

    /// <summary>[Rows, D].</summary>
    internal TokenRows Plain(View rows) => new(rows, (long)Attention.Queries * Width, Width);
}
