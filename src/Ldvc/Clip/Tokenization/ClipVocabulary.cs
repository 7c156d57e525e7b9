using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Clip.Tokenization;

/// <summary>The ids of CLIP's tokens, and the merges in order of rank that build them from bytes.</summary>
/// <param name="Ids">Token to id.</param>
/// <param name="Merges">Pairs of tokens; an earlier pair is merged first.</param>
internal sealed record ClipVocabulary(IReadOnlyDictionary<string, int> Ids, IReadOnlyList<(string Left, string Right)> Merges)
{
    /// <summary>Whether the ids follow from the number of merges, as in OpenAI's list: with too few of them, every later id is another one.</summary>
    public bool Numbered { get; init; }

    /// <summary>
    /// Tokens that were added to a trained CLIP beside its vocabulary (added_tokens.json, or added_tokens in tokenizer.json), with their ids. They
    /// have embeddings; texts with them cannot be encoded here.
    /// </summary>
    public IReadOnlyDictionary<string, int> Added { get; init; } = new Dictionary<string, int>();

    /// <summary>
    /// The vocabulary as CLIP numbers it: the 256 byte symbols, the same as word ends, one token per merge, start and end of text.
    /// </summary>
    /// <exception cref="ArgumentException">Two merges give the same token.</exception>
    public static ClipVocabulary FromMerges(IReadOnlyList<(string Left, string Right)> merges)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        IEnumerable<string> tokens = ByteSymbols.InOrder
            .Concat(ByteSymbols.InOrder.Select(symbol => symbol + ByteSymbols.EndOfWord))
            .Concat(merges.Select(merge => merge.Left + merge.Right))
            .Append(WordSplitter.StartOfText)
            .Append(WordSplitter.EndOfText);
        foreach (string token in tokens)
        {
            ids.Add(token, ids.Count);
        }

        return new ClipVocabulary(ids, merges);
    }

    /// <summary>
    /// Writes vocab.json and merges.txt as Hugging Face has them, and added_tokens.json where there are such tokens; the folder is made when it is
    /// missing.
    /// </summary>
    /// <exception cref="Ldvc.Tensors.InputException">A file cannot be written.</exception>
    public void Save(string folder)
    {
        Imaging.OutputFolder.Create(folder);
        WriteIds(Path.Combine(folder, VocabularyFiles.Vocabulary), Ids);
        if (Added.Count > 0)
        {
            WriteIds(Path.Combine(folder, VocabularyFiles.AddedTokens), Added);
        }

        var lines = new StringBuilder("#version: 0.2\n");
        foreach ((string left, string right) in Merges)
        {
            lines.Append(left).Append(' ').Append(right).Append('\n');
        }

        AtomicFile.WriteText(Path.Combine(folder, VocabularyFiles.Merges), lines.ToString());
    }

    private static void WriteIds(string path, IReadOnlyDictionary<string, int> ids) => AtomicFile.Write(path, stream =>
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        foreach ((string token, int id) in ids.OrderBy(pair => pair.Value))
        {
            json.WriteNumber(token, id);
        }

        json.WriteEndObject();
    });
}
