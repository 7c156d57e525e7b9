using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Clip.Tokenization;

/// <summary>Reads a vocabulary from the files CLIP checkpoints come with, and checks that it is one.</summary>
internal static class VocabularyFiles
{
    /// <summary>Hugging Face's token ids.</summary>
    public const string Vocabulary = "vocab.json";

    /// <summary>Hugging Face's merges.</summary>
    public const string Merges = "merges.txt";

    /// <summary>Hugging Face's two in one file.</summary>
    public const string Tokenizer = "tokenizer.json";

    /// <summary>Hugging Face's tokens that came later.</summary>
    public const string AddedTokens = "added_tokens.json";

    /// <summary>OpenAI's merges.</summary>
    public const string OpenAi = "bpe_simple_vocab_16e6.txt.gz";

    // OpenAI's list holds more merges than CLIP uses: its code takes the first 49152 - 256 - 2, which with the 512 symbols of bytes and the two
    // special tokens are 49408 ids.
    internal const int OpenAiMerges = 49152 - 256 - 2;

    // Steps of a tokenizer.json that CLIP's have; white space is replaced by a blank, and letters are cut into bytes.
    private const string Sequence = "Sequence";
    private const string Lowercase = "Lowercase";
    private const int DeepestSequence = 4;
    private static readonly string[] s_normalizers = ["NFC", "Replace", Lowercase];
    private static readonly string[] s_splitters = ["Split", "ByteLevel"];

    // CLIP's have 4 MB and 49408 ids; OpenAI's list unpacks to 3 MB.
    private const int LargestFile = 1 << 24;
    private const int LargestId = 10_000_000;
    private const int MaxTokens = 1_000_000;

    /// <summary>The files looked for, in words.</summary>
    public const string Expected = $"{Vocabulary} with {Merges}, {Tokenizer} or {OpenAi}";

    /// <summary>Whether a folder has any of the files that <see cref="Load"/> reads.</summary>
    public static bool Exist(string folder) =>
        (File.Exists(Path.Combine(folder, Vocabulary)) && File.Exists(Path.Combine(folder, Merges)))
        || File.Exists(Path.Combine(folder, Tokenizer))
        || File.Exists(Path.Combine(folder, OpenAi));

    /// <summary>Reads vocab.json and merges.txt, else tokenizer.json, else OpenAI's list.</summary>
    /// <exception cref="InputException">None of them is there, or one is damaged.</exception>
    public static ClipVocabulary Load(string folder)
    {
        string vocabulary = Path.Combine(folder, Vocabulary);
        string merges = Path.Combine(folder, Merges);
        string tokenizer = Path.Combine(folder, Tokenizer);
        string openAi = Path.Combine(folder, OpenAi);
        if (File.Exists(vocabulary) && File.Exists(merges))
        {
            using JsonDocument json = Json(vocabulary);
            Dictionary<string, int> ids = Ids(vocabulary, json.RootElement);
            return Check(vocabulary, merges, ids, ParseMerges(merges, Text(merges), int.MaxValue)) with { Added = Added(folder, ids) };
        }

        if (File.Exists(tokenizer))
        {
            return LoadTokenizer(tokenizer);
        }

        if (File.Exists(openAi))
        {
            return LoadOpenAi(openAi);
        }

        throw new InputException($"{folder}: expected CLIP's vocabulary here, as {Expected}; found none.");
    }

    /// <summary>A vocabulary that covers every byte, has both special tokens, and whose merges lead from tokens to tokens.</summary>
    public static ClipVocabulary Check(
        string idsPath, string mergesPath, IReadOnlyDictionary<string, int> ids, IReadOnlyList<(string Left, string Right)> merges)
    {
        foreach (string token in SymbolsAndEnds.Append(WordSplitter.StartOfText).Append(WordSplitter.EndOfText))
        {
            if (!ids.ContainsKey(token))
            {
                throw new InputException($"{idsPath}: expected CLIP's vocabulary, but the token '{token}' is missing.");
            }
        }

        if (ids.Values.Distinct().Count() != ids.Count || ids.Values.Any(id => id is < 0 or > LargestId))
        {
            throw new InputException($"{idsPath}: expected a different id from 0 to {LargestId} for each of the {ids.Count} tokens.");
        }

        foreach ((string left, string right) in merges)
        {
            if (!ids.ContainsKey(left) || !ids.ContainsKey(right) || !ids.ContainsKey(left + right))
            {
                throw new InputException(
                    $"{mergesPath}: the merge {Shown(left)} {Shown(right)} uses or gives a token that the vocabulary does not have.");
            }
        }

        // What users add in the form of a special token comes from no merge, so it never stands in a text.
        int end = ids[WordSplitter.EndOfText];
        string? beyond = ids.Keys.FirstOrDefault(token => ids[token] > end && (!IsSpecial(token) || token == WordSplitter.StartOfText));
        if (beyond is not null)
        {
            throw new InputException(
                $"{idsPath}: {WordSplitter.EndOfText} has the id {end} and {Shown(beyond)} the id {ids[beyond]}; expected the end of text to have "
                    + "the largest id, by which a CLIP finds where its text ends.");
        }

        CheckWhole(mergesPath, ids, merges);
        return new ClipVocabulary(ids, merges);
    }

    // A list that was cut short, or is another vocabulary's, would still split every text: into other tokens than the CLIP was trained with.
    private static void CheckWhole(string path, IReadOnlyDictionary<string, int> ids, IReadOnlyList<(string Left, string Right)> merges)
    {
        var given = new HashSet<string>(SymbolsAndEnds, StringComparer.Ordinal);
        int last = -1;
        foreach ((string left, string right) in merges)
        {
            if (!given.Contains(left) || !given.Contains(right))
            {
                throw new InputException($"{path}: the merge {Shown(left)} {Shown(right)} comes before the one that gives "
                    + $"{Shown(given.Contains(left) ? right : left)}; expected the merges in their order.");
            }

            int id = ids[left + right];
            if (given.Add(left + right))
            {
                if (id < last)
                {
                    throw new InputException(
                        $"{path}: the merge {Shown(left)} {Shown(right)} gives the token of id {id} after one of id {last}; expected the merges in "
                            + "the order of the vocabulary's ids, so the two are not of one tokenizer.");
                }

                last = id;
            }
        }

        string[] missing = [.. ids.Keys.Where(token => !given.Contains(token) && !IsSpecial(token))];
        if (missing.Length > 0)
        {
            string first = missing.MinBy(token => ids[token])!;
            throw new InputException(
                $"{path}: {merges.Count} merges, but {missing.Length} tokens of the vocabulary come from none of them, the first is {Shown(first)}; "
                    + "expected all merges of this vocabulary: the file is cut short or another one's.");
        }
    }

    /// <summary>The symbols of bytes, and the same as the ends of words.</summary>
    internal static IEnumerable<string> SymbolsAndEnds =>
        ByteSymbols.InOrder.Concat(ByteSymbols.InOrder.Select(symbol => symbol + ByteSymbols.EndOfWord));

    // <|startoftext|>, <|endoftext|>, and what users add in this form. The end of a word has another.
    private static bool IsSpecial(string token) =>
        token.Length > 2 && token[0] == '<' && token[^1] == '>' && !token.EndsWith(ByteSymbols.EndOfWord, StringComparison.Ordinal);

    private static ClipVocabulary LoadTokenizer(string path)
    {
        using JsonDocument json = Json(path);
        if (json.RootElement.ValueKind != JsonValueKind.Object
            || !json.RootElement.TryGetProperty("model", out JsonElement model)
            || model.ValueKind != JsonValueKind.Object
            || !model.TryGetProperty("vocab", out JsonElement vocab)
            || !model.TryGetProperty("merges", out JsonElement list)
            || list.ValueKind != JsonValueKind.Array)
        {
            throw new InputException($"{path}: expected a tokenizer with 'model', and in it 'vocab' and 'merges'.");
        }

        RefuseOtherKind(path, json.RootElement, model);
        var merges = new List<(string, string)>();
        RefuseMany(path, list.GetArrayLength(), "merges");
        foreach (JsonElement item in list.EnumerateArray())
        {
            // Older files have "a b", newer ones ["a", "b"].
            string[] pair = item.ValueKind switch
            {
                JsonValueKind.String => item.GetString()!.Split(' ', 3),
                JsonValueKind.Array => [.. item.EnumerateArray().Take(3)
                    .Select(part => part.ValueKind == JsonValueKind.String ? part.GetString()! : "")],
                _ => [],
            };
            merges.Add(pair is [{ Length: > 0 } left, { Length: > 0 } right]
                ? (left, right)
                : throw new InputException($"{path}: merge {merges.Count} is not a pair of tokens."));
        }

        Dictionary<string, int> ids = Ids(path, vocab);
        var added = new Dictionary<string, int>(StringComparer.Ordinal);
        if (json.RootElement.TryGetProperty("added_tokens", out JsonElement tokens) && tokens.ValueKind == JsonValueKind.Array)
        {
            RefuseMany(path, tokens.GetArrayLength(), "added tokens");
            foreach (JsonElement token in tokens.EnumerateArray())
            {
                if (Content(token) is var (text, id) && !ids.ContainsKey(text))
                {
                    added[text] = id;
                }
            }
        }

        return Check(path, path, ids, merges) with { Added = added };
    }

    // What the file says of itself, where it does: byte pairs as CLIP's, of lower-case words. Other settings give other tokens.
    private static void RefuseOtherKind(string path, JsonElement root, JsonElement model)
    {
        Only("type", "\"BPE\"");
        Only("end_of_word_suffix", $"\"{ByteSymbols.EndOfWord}\"");
        Only("continuing_subword_prefix", "\"\"");
        Only("ignore_merges", "false");
        if (model.TryGetProperty("dropout", out JsonElement dropout) && dropout.ValueKind != JsonValueKind.Null
            && !(dropout.ValueKind == JsonValueKind.Number && dropout.TryGetDouble(out double share) && share == 0))
        {
            throw new InputException($"{path}: model.dropout is {Shown(dropout.GetRawText())}, expected none, as in a CLIP's tokenizer.");
        }

        string[] normalizers = Steps(root, "normalizer", "normalizers"), splitters = Steps(root, "pre_tokenizer", "pretokenizers");
        if (root.TryGetProperty("normalizer", out _)
            && (!normalizers.Contains(Lowercase) || !normalizers.All(s_normalizers.Contains)))
        {
            throw new InputException(
                $"{path}: normalizer has the steps {Shown(string.Join(", ", normalizers))}, expected {string.Join(", ", s_normalizers)}, as in "
                    + "a CLIP's tokenizer.");
        }

        if (root.TryGetProperty("pre_tokenizer", out _)
            && (!s_splitters.All(splitters.Contains) || !splitters.All(s_splitters.Contains)))
        {
            throw new InputException(
                $"{path}: pre_tokenizer has the steps {Shown(string.Join(", ", splitters))}, expected {string.Join(" and ", s_splitters)}, as in a "
                    + "CLIP's tokenizer.");
        }

        void Only(string key, string expected)
        {
            if (model.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null && value.GetRawText() is var found
                && found != expected)
            {
                throw new InputException(
                    $"{path}: model.{key} is {Shown(found.Trim('"'))}, expected {expected.Trim('"')}, as in a CLIP's tokenizer.");
            }
        }
    }

    // The names of a tokenizer's steps; several lie in a sequence, which may lie in another one.
    private static string[] Steps(JsonElement root, string key, string parts)
    {
        return root.TryGetProperty(key, out JsonElement first) ? [.. Of(first, 0)] : [];

        IEnumerable<string> Of(JsonElement step, int depth)
        {
            string type = step.ValueKind == JsonValueKind.Object && step.TryGetProperty("type", out JsonElement name)
                && name.ValueKind == JsonValueKind.String ? name.GetString()! : step.ValueKind.ToString();
            return type == Sequence && depth < DeepestSequence && step.TryGetProperty(parts, out JsonElement inner)
                && inner.ValueKind == JsonValueKind.Array
                ? inner.EnumerateArray().SelectMany(each => Of(each, depth + 1))
                : [type];
        }
    }

    private static (string Text, int Id)? Content(JsonElement token) =>
        token.ValueKind == JsonValueKind.Object
        && token.TryGetProperty("content", out JsonElement text) && text.ValueKind == JsonValueKind.String
        && token.TryGetProperty("id", out JsonElement number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out int id)
            ? (text.GetString()!, id)
            : null;

    private static Dictionary<string, int> Added(string folder, Dictionary<string, int> ids)
    {
        string path = Path.Combine(folder, AddedTokens);
        if (!File.Exists(path))
        {
            return [];
        }

        using JsonDocument json = Json(path);
        return Ids(path, json.RootElement).Where(pair => !ids.ContainsKey(pair.Key)).ToDictionary(StringComparer.Ordinal);
    }

    private static ClipVocabulary LoadOpenAi(string path)
    {
        List<(string Left, string Right)> merges = ParseMerges(path, Decode(path, Unpack(path)), OpenAiMerges);
        HashSet<string> tokens = [.. SymbolsAndEnds, WordSplitter.StartOfText, WordSplitter.EndOfText];
        foreach ((string left, string right) in merges)
        {
            if (!tokens.Add(left + right))
            {
                throw new InputException(
                    $"{path}: the merge {Shown(left)} {Shown(right)} gives a token that is there already; expected merges that give new ones.");
            }
        }

        ClipVocabulary vocabulary = ClipVocabulary.FromMerges(merges);
        return Check(path, path, vocabulary.Ids, merges) with { Numbered = true };
    }

    private static Dictionary<string, int> Ids(string path, JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new InputException($"{path}: expected a JSON object of tokens and ids, got {json.ValueKind}.");
        }

        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        RefuseMany(path, json.GetPropertyCount(), "tokens");
        foreach (JsonProperty property in json.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.Number || !property.Value.TryGetInt32(out int id))
            {
                throw new InputException($"{path}: the token {Shown(property.Name)} has something else than a whole number as its id.");
            }

            ids.Add(property.Name, id);
        }

        return ids;
    }

    private static List<(string Left, string Right)> ParseMerges(string path, string text, int max)
    {
        var merges = new List<(string, string)>();
        for (int i = 0, at = 0; at < text.Length && merges.Count < max; i++)
        {
            int end = text.IndexOf('\n', at);
            string line = text[at..(end < 0 ? text.Length : end)].TrimEnd('\r');
            at = end < 0 ? text.Length : end + 1;

            // The first line is a version remark; later ones may begin with '#' as well, which is a byte like any other.
            if (line.Length == 0 || (i == 0 && line.Contains("version", StringComparison.Ordinal)))
            {
                continue;
            }

            RefuseMany(path, merges.Count, "merges");
            merges.Add(line.Split(' ', 3) is [{ Length: > 0 } left, { Length: > 0 } right]
                ? (left, right)
                : throw new InputException($"{path}: line {i + 1} is {Shown(line)}, expected two tokens with a blank between them."));
        }

        return merges;
    }

    private static JsonDocument Json(string path)
    {
        try
        {
            return JsonInput.Parse(PlainFile.ReadAll(path, LargestFile));
        }
        catch (JsonException e)
        {
            throw new InputException($"{path}: expected JSON ({JsonInput.Reason(e)})", e);
        }
    }

    private static string Text(string path) => Decode(path, PlainFile.ReadAll(path, LargestFile));

    private static byte[] Unpack(string path)
    {
        using var memory = new MemoryStream();
        try
        {
            using var gzip = new GZipStream(PlainFile.Open(path), CompressionMode.Decompress);
            byte[] buffer = new byte[1 << 16];
            for (int got = gzip.Read(buffer); got > 0; got = gzip.Read(buffer))
            {
                memory.Write(buffer, 0, got);
                if (memory.Length > LargestFile)
                {
                    throw new InputException($"{path}: unpacks to more than {LargestFile} bytes, expected OpenAI's list.");
                }
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            throw new InputException($"{path}: cannot be read as gzip ({e.Message})", e);
        }

        return memory.ToArray();
    }

    private static void RefuseMany(string path, int count, string what)
    {
        if (count > MaxTokens)
        {
            throw new InputException($"{path}: more than {MaxTokens} {what}, expected those of a CLIP.");
        }
    }

    private static string Decode(string path, byte[] bytes)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new InputException($"{path}: expected UTF-8 text.", e);
        }
    }

    private static string Shown(string text) => $"'{(text.Length > 60 ? text[..60] + "..." : text)}'";
}
