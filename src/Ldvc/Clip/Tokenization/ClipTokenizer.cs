using System.Security.Cryptography;
using System.Text;
using Ldvc.Configuration;
using Ldvc.Tensors;
using Microsoft.ML.Tokenizers;

namespace Ldvc.Clip.Tokenization;

/// <summary>
/// CLIP's byte-pair tokenizer. The merging is Microsoft.ML.Tokenizers'; cleaning and splitting are done here, where they can be exactly CLIP's.
/// Start and end of text have whatever ids the vocabulary gives them. Safe to use from several threads.
/// </summary>
public sealed class ClipTokenizer
{
    // What tables are filled up to: transformers' pad_to_multiple_of takes the sizes that tensor cores like.
    private static readonly int[] Paddings = [8, 16, 32, 64, 128, 256];

    private readonly BpeTokenizer _bpe;

    /// <summary>A tokenizer from a vocabulary in memory.</summary>
    /// <exception cref="InputException">The vocabulary lacks a byte or a special token, or a merge leads out of it.</exception>
    internal ClipTokenizer(ClipVocabulary vocabulary)
        : this(VocabularyFiles.Check("vocabulary", "vocabulary", vocabulary.Ids, vocabulary.Merges) with
        {
            Added = vocabulary.Added,
            Numbered = vocabulary.Numbered,
        }, "vocabulary")
    {
    }

    /// <summary>A tokenizer from token ids and merges in order of rank.</summary>
    /// <exception cref="InputException">As above.</exception>
    public ClipTokenizer(IReadOnlyDictionary<string, int> ids, IReadOnlyList<(string Left, string Right)> merges)
        : this(new ClipVocabulary(
            ids ?? throw new ArgumentNullException(nameof(ids)), merges ?? throw new ArgumentNullException(nameof(merges))))
    {
    }

    // Of a vocabulary that has been checked.
    private ClipTokenizer(ClipVocabulary vocabulary, string source)
    {
        Vocabulary = vocabulary;
        StartOfText = vocabulary.Ids[WordSplitter.StartOfText];
        EndOfText = vocabulary.Ids[WordSplitter.EndOfText];
        var options = new BpeOptions(vocabulary.Ids)
        {
            Merges = vocabulary.Merges.Select(merge => $"{merge.Left} {merge.Right}"),
            ByteLevel = true,
            EndOfWordSuffix = ByteSymbols.EndOfWord,
        };
        try
        {
            _bpe = BpeTokenizer.Create(options);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or FormatException)
        {
            var seen = new HashSet<(string, string)>();
            var (left, right) = vocabulary.Merges.FirstOrDefault(merge => !seen.Add(merge));
            throw new InputException(
                left is null ? $"{source}: not a byte-pair vocabulary ({e.Message.Split('\n')[0]})"
                    : $"{source}: the merge '{left}' '{right}' stands twice, expected each once.",
                e);
        }
    }

    /// <summary>The vocabulary, for saving it beside a model.</summary>
    internal ClipVocabulary Vocabulary { get; }

    /// <summary>
    /// SHA-256 of what decides a text's ids: the tokens of bytes and word ends, start and end of text, and the merges in their order, each with its
    /// id. The same whatever files hold them; tokens that no text can have do not count.
    /// </summary>
    internal string Digest()
    {
        var lines = new StringBuilder();
        foreach (string token in VocabularyFiles.SymbolsAndEnds.Append(WordSplitter.StartOfText).Append(WordSplitter.EndOfText))
        {
            lines.Append(token).Append(' ').Append(Vocabulary.Ids[token]).Append('\n');
        }

        foreach ((string left, string right) in Vocabulary.Merges)
        {
            lines.Append(left).Append(' ').Append(right).Append(' ').Append(Vocabulary.Ids[left + right]).Append('\n');
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lines.ToString())));
    }

    /// <summary>Id of the token in front of every text.</summary>
    public int StartOfText { get; }

    /// <summary>Id of the token after every text.</summary>
    public int EndOfText { get; }

    /// <summary>
    /// Refuses a vocabulary that is not that of a text encoder: its tokens must have an embedding each, and embeddings a token, and the end of text
    /// that the encoder looks for must be the vocabulary's. Rows that fill the table up to a round number are no token's, and no text has them.
    /// </summary>
    /// <param name="embeddings">Rows of the encoder's table.</param>
    /// <param name="clip">The CLIP, for the message.</param>
    /// <param name="end">The end of text that its configuration states; null = none.</param>
    /// <returns>A sentence about such rows; null when there are none.</returns>
    /// <exception cref="InputException">The two do not belong together.</exception>
    internal string? CheckVocabulary(int embeddings, string clip, int? end = null)
    {
        string? padding = CheckSize(embeddings, clip);
        return end is null || end == EndOfText ? padding : throw new InputException(
            $"{clip}: config.json says text_config.eos_token_id is {end}, but {WordSplitter.EndOfText} has the id {EndOfText} in the vocabulary; "
                + "expected the vocabulary and the configuration of one CLIP.");
    }

    private string? CheckSize(int embeddings, string clip)
    {
        int largest = Vocabulary.Ids.Values.Max();
        int tokens = Vocabulary.Ids.Count + Vocabulary.Added.Count;
        if (IsPadded(tokens, embeddings))
        {
            return $"{clip}: the text encoder has embeddings for {embeddings} tokens and the vocabulary {tokens}; the other {embeddings - tokens} "
                + "are taken for padding, which is never read";
        }

        if (Vocabulary.Numbered && largest + 1 < embeddings)
        {
            throw new InputException(
                $"{clip}: {VocabularyFiles.OpenAi} has {Vocabulary.Merges.Count} merges, which make {largest + 1} tokens, but the text encoder has "
                    + $"embeddings for {embeddings}; expected {embeddings - largest - 1} merges more: the file is cut short or another one's.");
        }

        if (largest >= embeddings)
        {
            throw new InputException(
                $"{clip}: the tokenizer has the id {largest}, but the text encoder has embeddings for 0 to {embeddings - 1} only.");
        }

        // Published CLIPs have no row to spare (49408 of both).
        return tokens == embeddings ? null : throw new InputException(
            $"{clip}: the vocabulary has {tokens} tokens, but the text encoder has embeddings for {embeddings}; expected the vocabulary of this "
                + $"CLIP, with tokens that were added later in {VocabularyFiles.AddedTokens} or {VocabularyFiles.Tokenizer}.");
    }

    // OpenAI's list says by its length whether it is whole.
    private bool IsPadded(int tokens, int embeddings) => tokens < embeddings
        && (!Vocabulary.Numbered || Vocabulary.Merges.Count == VocabularyFiles.OpenAiMerges)
        && Vocabulary.Ids.Values.Concat(Vocabulary.Added.Values).All(id => id < embeddings)
        && Paddings.Any(multiple => embeddings == (tokens + multiple - 1) / multiple * multiple);

    /// <summary>Reads the vocabulary of a checkpoint's folder, or of the folder a checkpoint file lies in.</summary>
    /// <exception cref="InputException">There is no vocabulary, or it is damaged.</exception>
    public static ClipTokenizer Load(string folder)
    {
        string place = File.Exists(folder) ? Path.GetDirectoryName(Path.GetFullPath(folder))! : folder;
        return new ClipTokenizer(VocabularyFiles.Load(place), place);
    }

    /// <summary>
    /// The ids CLIP's text tower takes: start, text, end, then zeros up to <paramref name="contextLength"/>. A text that is too long is cut; the last
    /// id is the end of text all the same.
    /// </summary>
    /// <exception cref="InputException">The text holds a token that was added to the CLIP later.</exception>
    public int[] Encode(string text, int contextLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(contextLength, 2);
        int[] ids = EncodeUnpadded(text);
        bool cut = ids.Length > contextLength;
        Array.Resize(ref ids, contextLength);
        if (cut)
        {
            ids[^1] = EndOfText;
        }

        return ids;
    }

    /// <summary>
    /// As <see cref="Encode"/>, but a text that is too long is an error: what is cut off would be missing from its feature without a word.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="contextLength">Ids to return.</param>
    /// <param name="what">What the text is, for the message.</param>
    /// <param name="around">What has tokens beside it, for the message.</param>
    /// <exception cref="InputException">It has more tokens.</exception>
    internal int[] EncodeWhole(string text, int contextLength, string what, string around = "")
    {
        int[] ids = EncodeUnpadded(text);
        int tokens = ids.Length;
        Array.Resize(ref ids, contextLength);
        return tokens <= contextLength
            ? ids
            : throw new InputException($"{what}: {tokens} tokens{around}, expected at most the {contextLength} of this CLIP");
    }

    /// <summary>The padded ids of a class name in a sentence with {class}.</summary>
    /// <exception cref="InputException">It has more tokens than the context.</exception>
    internal int[] EncodeClass(string sentence, string name, int contextLength) =>
        EncodeWhole(TextTemplates.Sentence(sentence, name), contextLength, $"class name {ConfigText.Quote(name)}", " with the template around it");

    /// <summary>Start, text, end: as many ids as the text needs.</summary>
    /// <exception cref="InputException">It holds a token that was added to the CLIP later.</exception>
    public int[] EncodeUnpadded(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Vocabulary.Added.Keys.FirstOrDefault(token => text.Contains(token, StringComparison.Ordinal)) is { } added)
        {
            throw new InputException(
                $"text {ConfigText.Quote(text)}: expected words that are in the vocabulary, found {ConfigText.Quote(added)}, a token that was added "
                    + "to "
                    + "this CLIP later, which is not encoded as one here.");
        }

        var ids = new List<int> { StartOfText };
        foreach (string word in WordSplitter.Split(TextCleaning.Clean(text)))
        {
            if (word is WordSplitter.StartOfText or WordSplitter.EndOfText)
            {
                ids.Add(Vocabulary.Ids[word]);
            }
            else
            {
                ids.AddRange(_bpe.EncodeToIds(word, considerPreTokenization: false, considerNormalization: false));
            }
        }

        ids.Add(EndOfText);
        return [.. ids];
    }
}
