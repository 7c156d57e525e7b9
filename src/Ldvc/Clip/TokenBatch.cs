namespace Ldvc.Clip;

/// <summary>Token ids of several texts, [Count, Length], and where each one's EOT is.</summary>
internal sealed class TokenBatch
{
    private TokenBatch(int[] ids, int[] ends, int count, int length)
    {
        Ids = ids;
        Ends = ends;
        Count = count;
        Length = length;
    }

    /// <summary>[Count * Length].</summary>
    public int[] Ids { get; }

    /// <summary>
    /// Position of the EOT token of each text: the argmax of its ids, the first of equals, as OpenAI reads it. Vocabularies in which another token
    /// has a larger id are refused.
    /// </summary>
    public int[] Ends { get; }

    /// <summary>Number of texts.</summary>
    public int Count { get; }

    /// <summary>Tokens of each text.</summary>
    public int Length { get; }

    /// <summary>
    /// Takes padded ids [count, context]. Unless told otherwise, columns after the last EOT are cut: causal attention makes that exact (method.md 3).
    /// </summary>
    internal static TokenBatch Create(ReadOnlySpan<int> ids, int count, bool truncate = true)
    {
        if (count < 1 || ids.Length % count != 0)
        {
            throw new ArgumentException($"{ids.Length} token ids do not make {count} texts", nameof(ids));
        }

        int context = ids.Length / count;
        var ends = new int[count];
        for (int i = 0; i < count; i++)
        {
            var row = ids.Slice(i * context, context);
            for (int j = 1; j < context; j++)
            {
                if (row[j] > row[ends[i]])
                {
                    ends[i] = j;
                }
            }
        }

        int length = truncate ? ends.Max() + 1 : context;
        var cut = new int[count * length];
        for (int i = 0; i < count; i++)
        {
            ids.Slice(i * context, length).CopyTo(cut.AsSpan(i * length));
        }

        return new TokenBatch(cut, ends, count, length);
    }
}
