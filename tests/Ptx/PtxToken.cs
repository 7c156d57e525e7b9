namespace Ldvc.Ptx;

/// <summary>What a piece of PTX text is.</summary>
internal enum PtxTokenKind
{
    /// <summary>An opcode, symbol, label or register: letters, digits, _, $ and %, with dots inside.</summary>
    Word,

    /// <summary>A word that starts with a dot.</summary>
    Directive,

    /// <summary>A number, as written.</summary>
    Number,

    /// <summary>One character.</summary>
    Sign,

    /// <summary>After the last character.</summary>
    End,
}

/// <summary>A piece of PTX text and the line that it stands on, from 1.</summary>
internal readonly record struct PtxToken(PtxTokenKind Kind, string Text, int Line);

/// <summary>The text is no PTX.</summary>
internal sealed class PtxSyntaxException(int line, string message) : FormatException($"line {line}: {message}");

/// <summary>
/// Cuts PTX into words, numbers and signs (PTX ISA 8.0, chapter 4). Characters that PTX has no use for are errors, so nothing foreign slips through.
/// </summary>
internal static class PtxTokens
{
    private const string Signs = ",;:(){}[]<>=+-!@|";

    internal static List<PtxToken> Split(string text)
    {
        var tokens = new List<PtxToken>();
        int line = 1;
        for (int i = 0; i < text.Length;)
        {
            char c = text[i];
            if (c == '\n')
            {
                line++;
                i++;
            }
            else if (c is ' ' or '\t' or '\r')
            {
                i++;
            }
            else if (c == '/' && i + 1 < text.Length && text[i + 1] == '/')
            {
                i = text.IndexOf('\n', i) is var end and >= 0 ? end : text.Length;
            }
            else if (IsWord(c) || c == '.')
            {
                int start = i;
                for (i++; i < text.Length && (IsWord(text[i]) || text[i] == '.' || IsScope(text, i)); i += text[i] == ':' ? 2 : 1)
                {
                }

                string word = text[start..i];
                tokens.Add(
                    new PtxToken(c == '.' ? PtxTokenKind.Directive : char.IsAsciiDigit(c) ? PtxTokenKind.Number : PtxTokenKind.Word, word, line));
            }
            else if (Signs.Contains(c, StringComparison.Ordinal))
            {
                tokens.Add(new PtxToken(PtxTokenKind.Sign, text[i++..i], line));
            }
            else
            {
                throw new PtxSyntaxException(line, $"character '{c}' has no place in PTX");
            }
        }

        tokens.Add(new PtxToken(PtxTokenKind.End, "end of text", line));
        return tokens;
    }

    private static bool IsWord(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' or '%';

    // "::" of .shared::cta and .L2::128B; a label's single colon is a sign.
    private static bool IsScope(string text, int i) => text[i] == ':' && i + 1 < text.Length && text[i + 1] == ':';
}
