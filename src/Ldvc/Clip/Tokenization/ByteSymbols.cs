using System.Text;

namespace Ldvc.Clip.Tokenization;

/// <summary>
/// CLIP's vocabulary is text, its input bytes: every byte has a printable character of its own. The printable Latin-1 characters stand for
/// themselves, the other 68 bytes for U+0100 onwards, in order. The last symbol of a word carries the suffix "&lt;/w&gt;".
/// </summary>
internal static class ByteSymbols
{
    /// <summary>Marks the last symbol of a word.</summary>
    public const string EndOfWord = "</w>";

    /// <summary>The character of each byte value.</summary>
    public static readonly char[] OfByte = Build();

    /// <summary>The 256 characters in the order of CLIP's vocabulary: those that stand for themselves first.</summary>
    public static IEnumerable<string> InOrder => OfByte.Where(c => c < 256).Concat(OfByte.Where(c => c >= 256)).Select(c => c.ToString());

    /// <summary>The symbols a word starts from: its UTF-8 bytes, the last one marked.</summary>
    public static string[] OfWord(ReadOnlySpan<char> word)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(word)];
        Encoding.UTF8.GetBytes(word, bytes);
        string[] symbols = new string[bytes.Length];
        for (int i = 0; i < symbols.Length; i++)
        {
            symbols[i] = OfByte[bytes[i]] + (i == symbols.Length - 1 ? EndOfWord : "");
        }

        return symbols;
    }

    private static char[] Build()
    {
        char[] symbols = new char[256];
        char next = (char)256;
        for (int b = 0; b < 256; b++)
        {
            bool printable = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            symbols[b] = printable ? (char)b : next++;
        }

        return symbols;
    }
}
