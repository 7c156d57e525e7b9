using System.Text;
using System.Text.Json.Nodes;

namespace Ldvc.Fuzz;

/// <summary>
/// Changes that keep a file well formed, so that what lies behind the parser is reached: a letter becomes another letter, an entry stands elsewhere,
/// a line ends as on another system. Damage as in <see cref="FuzzMutator"/> is mostly refused at its first byte.
/// </summary>
internal static class FuzzCare
{
    private const int MaxEdits = 3;
    private const int MaxEscapes = 8;

    /// <summary>One to three letters or digits become others: names, numbers and choices change, quotes and brackets stay.</summary>
    internal static byte[] Letters(byte[] seed, byte[] other, Random random)
    {
        byte[] text = [.. seed];
        int[] places = [.. Enumerable.Range(0, text.Length).Where(i => char.IsAsciiLetterOrDigit((char)text[i]))];
        for (int edit = random.Next(MaxEdits); edit >= 0 && places.Length > 0; edit--)
        {
            int at = places[random.Next(places.Length)];
            text[at] = (byte)((char)text[at] switch
            {
                >= '0' and <= '9' => '0' + random.Next(10),
                >= 'a' and <= 'z' => 'a' + random.Next(26),
                _ => 'A' + random.Next(26),
            });
        }

        return text;
    }

    /// <summary>
    /// A JSON text written otherwise: entries of one object in another order, letters as \u escapes, spaces between; in one of three texts a letter is
    /// changed as well.
    /// </summary>
    internal static byte[] Json(byte[] seed, byte[] other, Random random)
    {
        JsonNode root = JsonNode.Parse(seed)!;
        Reorder(root, random);
        byte[] text = Encoding.UTF8.GetBytes(root.ToJsonString(new() { WriteIndented = random.Next(2) == 0 }));
        text = Escape(text, random);
        return random.Next(3) == 0 ? Letters(text, other, random) : text;
    }

    /// <summary>Lines of a text: two change places, one is left out or doubled, blank ones are added, ends are those of Windows.</summary>
    internal static byte[] Lines(byte[] seed, byte[] other, Random random)
    {
        List<string> lines = [.. Encoding.UTF8.GetString(seed).Split('\n')];
        int at = random.Next(lines.Count), to = random.Next(lines.Count);
        switch (random.Next(6))
        {
            case 0:
                (lines[at], lines[to]) = (lines[to], lines[at]);
                break;
            case 1:
                lines.RemoveAt(at);
                break;
            case 2:
                lines.Insert(to, lines[at]);
                break;
            case 3:
                lines.Add(string.Empty);
                break;
            case 4:
                lines[at] += " ";
                break;
            default:
                return Encoding.UTF8.GetBytes(string.Join("\r\n", lines));
        }

        return Encoding.UTF8.GetBytes(string.Join('\n', lines));
    }

    // One object of the tree, most often the root.
    private static void Reorder(JsonNode node, Random random)
    {
        while (node is JsonObject { Count: > 0 } parent && random.Next(3) == 0)
        {
            JsonNode? child = parent.ElementAt(random.Next(parent.Count)).Value;
            if (child is not JsonObject { Count: > 0 })
            {
                break;
            }

            node = child;
        }

        if (node is JsonObject entries)
        {
            KeyValuePair<string, JsonNode?>[] all = [.. entries];
            random.Shuffle(all);
            entries.Clear();
            foreach ((string name, JsonNode? value) in all)
            {
                entries.Add(name, value);
            }
        }
    }

    private static byte[] Escape(byte[] text, Random random)
    {
        var written = new List<byte>(text);
        for (int edit = random.Next(MaxEscapes); edit > 0; edit--)
        {
            int at = random.Next(written.Count);
            // Behind an apostrophe or a letter within quotes; elsewhere an escape would be none.
            if (InString(written, at) && char.IsAsciiLetter((char)written[at]))
            {
                byte letter = written[at];
                written.RemoveAt(at);
                written.InsertRange(at, Encoding.ASCII.GetBytes($"\\u{(int)letter:x4}"));
            }
        }

        return [.. written];
    }

    // Within quotes, and no part of another escape.
    private static bool InString(List<byte> text, int at)
    {
        bool inside = false;
        int escaped = -1;
        for (int i = 0; i < at; i++)
        {
            if (inside && text[i] == '\\')
            {
                escaped = i + (i + 1 < text.Count && text[i + 1] == 'u' ? 5 : 1);
                i++;
            }
            else if (text[i] == '"')
            {
                inside = !inside;
            }
        }

        return inside && at > escaped;
    }
}
