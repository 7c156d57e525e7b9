namespace Ldvc.Clip.Tokenization;

/// <summary>
/// Learns a small CLIP-style vocabulary from texts: byte-pair encoding, the most frequent pair first. Ties go to the pair that sorts first by code
/// unit, so the result depends on the texts alone, not on their order.
/// </summary>
internal static class BpeTrainer
{
    private const int Fixed = 512 + 2;

    /// <summary>Trains until the vocabulary has the wanted size or no pair occurs twice.</summary>
    /// <param name="texts">The corpus, uncleaned.</param>
    /// <param name="vocabularySize">Ids in all: 512 byte symbols, the merges, and the two special tokens.</param>
    public static ClipVocabulary Train(IEnumerable<string> texts, int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, Fixed);
        List<Word> words = Words(texts);
        var merges = new List<(string Left, string Right)>();
        var tokens = new HashSet<string>(StringComparer.Ordinal);
        while (merges.Count < vocabularySize - Fixed && Best(words, tokens) is { } best)
        {
            merges.Add(best);
            tokens.Add(best.Left + best.Right);
            foreach (Word word in words)
            {
                word.Merge(best);
            }
        }

        return ClipVocabulary.FromMerges(merges);
    }

    private static List<Word> Words(IEnumerable<string> texts)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string word in texts.SelectMany(text => WordSplitter.Split(TextCleaning.Clean(text))))
        {
            if (word is not (WordSplitter.StartOfText or WordSplitter.EndOfText))
            {
                counts[word] = counts.GetValueOrDefault(word) + 1;
            }
        }

        return [.. counts.Select(pair => new Word(ByteSymbols.OfWord(pair.Key), pair.Value))];
    }

    /// <summary>The most frequent pair, or null when none occurs twice. A pair whose token exists already (by another way) is skipped.</summary>
    private static (string Left, string Right)? Best(List<Word> words, HashSet<string> tokens)
    {
        var counts = new Dictionary<(string Left, string Right), long>();
        foreach (Word word in words)
        {
            for (int i = 0; i + 1 < word.Symbols.Count; i++)
            {
                (string, string) pair = (word.Symbols[i], word.Symbols[i + 1]);
                counts[pair] = counts.GetValueOrDefault(pair) + word.Count;
            }
        }

        (string Left, string Right)? best = null;
        long highest = 1;
        foreach (((string Left, string Right) pair, long count) in counts)
        {
            if (count < highest || count < 2 || tokens.Contains(pair.Left + pair.Right))
            {
                continue;
            }

            if (count > highest || best is null || Compare(pair, best.Value) < 0)
            {
                best = pair;
                highest = count;
            }
        }

        return best;
    }

    private static int Compare((string Left, string Right) a, (string Left, string Right) b)
    {
        int left = string.CompareOrdinal(a.Left, b.Left);
        return left != 0 ? left : string.CompareOrdinal(a.Right, b.Right);
    }

    private sealed class Word(string[] symbols, long count)
    {
        public List<string> Symbols { get; } = [.. symbols];

        public long Count { get; } = count;

        public void Merge((string Left, string Right) pair)
        {
            for (int i = 0; i + 1 < Symbols.Count; i++)
            {
                if (Symbols[i] == pair.Left && Symbols[i + 1] == pair.Right)
                {
                    Symbols[i] = pair.Left + pair.Right;
                    Symbols.RemoveAt(i + 1);
                }
            }
        }
    }
}
