using System.Buffers.Binary;
using System.Text;

namespace Ldvc.Fuzz;

/// <summary>
/// Damages bytes, a few edits at a time: what a broken disk does (a bit, a cut), what an attacker does (numbers at the edges of their range, words
/// that parsers treat specially, parts repeated or taken from another file). Written here, since a library would add a package and not know these
/// formats either.
/// </summary>
internal static class FuzzMutator
{
    private const int MaxEdits = 5;
    private const int MaxRepeats = 64;

    // What formats treat specially: ends of texts, halves of pairs, endless numbers, openings, comments, names of keys.
    private static readonly byte[][] Words =
    [
        .. new[]
        {
            "\0", "\n", "\r\n", "\t", " ", "\"", "'", "\\", "\\u0000", "\\ud800", "\\udc00x", "\u2028", "\u202E", "\uFEFF", "\u001b[2J", "#", ";",
            ",", ":", "- ", "? ", "| ", "> ", "&a ", "*a", "!!x ", "%", "---\n", "...\n", "<<: ", "[", "]", "{", "}", "[[[[[[[[", "{\"a\":{\"a\":",
            "null", "true", "~", "-1", "0", "1e999", "-1e999", "NaN", "Infinity", "1e-400", "0x10", "00", "255", "256", "65535", "65536", "2147483647",
            "2147483648", "4294967295", "9223372036854775807", "9223372036854775808", "18446744073709551616", "0.1", "</w>", "<|endoftext|>", "\u00A0",
            "\u0120", "__metadata__", "../../x",
        }.Select(Encoding.UTF8.GetBytes),
        [0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xF0, 0x9F, 0x98, 0x80], [0x80, 0x02], [0x00, 0x00, 0x00, 0x00],
    ];

    private static readonly ulong[] Edges =
        [0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x100000000, long.MaxValue, ulong.MaxValue];

    /// <summary>One to five edits of a file.</summary>
    /// <param name="seed">The file; it does not change.</param>
    /// <param name="other">Another file of the kind, from which parts are taken.</param>
    /// <param name="random">Decides.</param>
    internal static byte[] Bytes(byte[] seed, byte[] other, Random random)
    {
        var bytes = new List<byte>(seed);
        for (int edit = random.Next(MaxEdits); edit >= 0; edit--)
        {
            Edit(bytes, other, random);
        }

        return [.. bytes];
    }

    /// <summary>Edits of a text: words and lines are exchanged, left out, doubled; numbers get other values.</summary>
    internal static byte[] Text(byte[] seed, byte[] other, Random random)
    {
        var words = Split(seed);
        for (int edit = random.Next(MaxEdits); edit >= 0 && words.Count > 0; edit--)
        {
            int at = random.Next(words.Count);
            switch (random.Next(7))
            {
                case 0:
                    words.RemoveAt(at);
                    break;
                case 1:
                    words.Insert(at, words[random.Next(words.Count)]);
                    break;
                case 2:
                    (words[at], words[random.Next(words.Count)]) = (words[random.Next(words.Count)], words[at]);
                    break;
                case 3:
                    words[at] = Words[random.Next(Words.Length)];
                    break;
                case 4 when Split(other) is { Count: > 0 } others:
                    words[at] = others[random.Next(others.Count)];
                    break;
                case 5:
                    words.InsertRange(at, Enumerable.Repeat(words[at], random.Next(MaxRepeats)));
                    break;
                default:
                    words[at] = [.. words[at], .. Words[random.Next(Words.Length)]];
                    break;
            }
        }

        return [.. words.SelectMany(word => word)];
    }

    private static void Edit(List<byte> bytes, byte[] other, Random random)
    {
        int at = random.Next(bytes.Count + 1), length = Math.Min(random.Next(1, 33), bytes.Count - at);
        switch (random.Next(10))
        {
            case 0 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when at < bytes.Count:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2 or 3:
                SetNumber(bytes, at, random);
                break;
            case 4:
                bytes.RemoveRange(at, length);
                break;
            case 5:
                bytes.InsertRange(at, Words[random.Next(Words.Length)]);
                break;
            case 6:
                byte[] part = [.. bytes.Slice(at, length)];
                for (int repeats = random.Next(1, MaxRepeats); repeats > 0; repeats--)
                {
                    bytes.InsertRange(at, part);
                }

                break;
            case 7 when other.Length > 0:
                int from = random.Next(other.Length);
                bytes.InsertRange(at, other[from..Math.Min(other.Length, from + random.Next(1, 65))]);
                break;
            case 8 when random.Next(4) == 0:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            default:
                int to = random.Next(bytes.Count + 1 - length);
                byte[] moved = [.. bytes.Slice(at, length)];
                bytes.RemoveRange(at, length);
                bytes.InsertRange(to, moved);
                break;
        }
    }

    private static void SetNumber(List<byte> bytes, int at, Random random)
    {
        Span<byte> number = stackalloc byte[8];
        ulong value = Edges[random.Next(Edges.Length)] + (ulong)random.Next(-1, 2);
        int size = 1 << random.Next(4);
        if (random.Next(2) == 0)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(number, value);
        }
        else
        {
            BinaryPrimitives.WriteUInt64BigEndian(number, value << (64 - (8 * size)));
        }

        for (int i = 0; i < size && at + i < bytes.Count; i++)
        {
            bytes[at + i] = number[i];
        }
    }

    // Runs of letters and digits, and everything else byte by byte.
    private static List<byte[]> Split(byte[] text)
    {
        var words = new List<byte[]>();
        for (int at = 0; at < text.Length;)
        {
            int end = at + 1;
            while (IsWord(text[at]) && end < text.Length && IsWord(text[end]))
            {
                end++;
            }

            words.Add(text[at..end]);
            at = end;
        }

        return words;
    }

    private static bool IsWord(byte c) => char.IsAsciiLetterOrDigit((char)c) || c is (byte)'_' or (byte)'.' or (byte)'-' or >= 0x80;
}
