using System.Text.Json.Nodes;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Tokenization;

public class VocabularyFileTests
{
    private const string Good = "#version: 0.2\no t\n";

    [Theory]
    [InlineData("vocab.json", "[]", "JSON object")]
    [InlineData("vocab.json", "{", "expected JSON")]
    [InlineData("vocab.json", "", "expected JSON")]
    [InlineData("vocab.json", """{"a":1}""", "'!' is missing")]
    [InlineData("vocab.json", """{"a":1,"a":2}""", "expected JSON")]
    [InlineData("vocab.json", """{"a":"b"}""", "whole number")]
    [InlineData("vocab.json", """{"a":99999999999}""", "whole number")]
    [InlineData("vocab.json", """{"\ud800":1}""", "")]
    [InlineData("merges.txt", "#version: 0.2\no t\nx\n", "line 3")]
    [InlineData("merges.txt", "#version: 0.2\no t h\n", "line 2")]
    [InlineData("merges.txt", "#version: 0.2\no  t\n", "line 2")]
    [InlineData("merges.txt", "#version: 0.2\nq q\n", "'q' 'q'")]
    [InlineData("merges.txt", "#version: 0.2\nzz t\n", "'zz' 't'")]
    public void BadFilesAreNamedInOneSentence(string file, string content, string word)
    {
        using var folder = new TempFolder();
        ClipVocabulary.FromMerges([("o", "t")]).Save(folder.Root);
        Assert.Equal(Good, File.ReadAllText(folder.File("merges.txt")));
        File.WriteAllText(folder.File(file), content);
        InputException error = Assert.Throws<InputException>(() => ClipTokenizer.Load(folder.Root));
        Assert.Contains(folder.Root, error.Message);
        Assert.Contains(word, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("tokenizer.json", "{}", "'model'")]
    [InlineData("tokenizer.json", """{"model":{"vocab":{},"merges":[1]}}""", "merge 0")]
    [InlineData("tokenizer.json", """{"model":{"vocab":{},"merges":[]}}""", "'!' is missing")]
    [InlineData("bpe_simple_vocab_16e6.txt.gz", "not gzip", "gzip")]
    [InlineData("other", "", "found none")]
    public void OtherFormsAreCheckedToo(string file, string content, string word)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File(file), content);
        Assert.Contains(word, Assert.Throws<InputException>(() => ClipTokenizer.Load(folder.Root)).Message);
    }

    // Every text would still be split, into other tokens than the CLIP was trained with.
    [Fact]
    public void MergesThatAreCutShortOrExchangedAreRefused()
    {
        using var folder = new TempFolder();
        string merges = folder.File("merges.txt");
        string Refuses() => Assert.Throws<InputException>(() => ClipTokenizer.Load(folder.Root)).Message;
        ClipVocabulary.FromMerges([("o", "t"), ("ot", "h"), ("a", "b</w>")]).Save(folder.Root);
        ClipTokenizer.Load(folder.Root);
        string[] lines = File.ReadAllLines(merges);
        File.WriteAllLines(merges, [.. lines, lines[^1]]);
        string[] doubled = lines[^1].Split(' ');
        Assert.Contains($"the merge '{doubled[0]}' '{doubled[1]}' stands twice, expected each once.", Refuses());
        File.WriteAllLines(merges, lines[..^1]);
        Assert.Contains("merges.txt: 2 merges, but 1 tokens of the vocabulary come from none of them, the first is 'ab</w>'", Refuses());
        File.WriteAllLines(merges, lines[..1]);
        Assert.Contains("merges.txt: 0 merges, but 3 tokens", Refuses());
        File.WriteAllLines(merges, [lines[0], lines[3], lines[1], lines[2]]);
        Assert.Contains("after one of id 514; expected the merges in the order of the vocabulary's ids", Refuses());
        File.WriteAllLines(merges, [lines[0], lines[2], lines[1], lines[3]]);
        Assert.Contains("the merge 'ot' 'h' comes before the one that gives 'ot'", Refuses());

        // Tokens that users add are no merges.
        ClipVocabulary.FromMerges([("o", "t")]).Save(folder.Root);
        string json = File.ReadAllText(folder.File("vocab.json"));
        File.WriteAllText(folder.File("vocab.json"), json[..^1] + ",\"<|pad|>\":900}");
        ClipTokenizer.Load(folder.Root);
    }

    [Fact]
    public void OpenAisListMustBeAsLongAsTheTable()
    {
        using var folder = new TempFolder();
        using (var gzip = new System.IO.Compression.GZipStream(
            File.Create(folder.File("bpe_simple_vocab_16e6.txt.gz")), System.IO.Compression.CompressionLevel.Fastest))
        {
            gzip.Write("#version: 0.2\no t\na b\n"u8);
        }

        var tokenizer = ClipTokenizer.Load(folder.Root);
        Assert.Null(tokenizer.CheckVocabulary(516, "clip"));
        Assert.Contains(
            "2 merges, which make 516 tokens, but the text encoder has embeddings for 520; expected 4 merges more",
            Assert.Throws<InputException>(() => tokenizer.CheckVocabulary(520, "clip")).Message);
    }

    // A vocabulary of another CLIP encodes every text, into tokens that mean something else. Ids are 0 to 514 here.
    [Theory]
    [InlineData(515, "", "", "")]
    [InlineData(516, "", "", "the vocabulary has 515 tokens, but the text encoder has embeddings for 516; expected the vocabulary of this CLIP")]
    [InlineData(514, "", "", "the tokenizer has the id 514, but the text encoder has embeddings for 0 to 513 only")]
    [InlineData(516, "<toy>", "", "")]
    [InlineData(516, "", "<toy>", "")]
    [InlineData(515, "", "<toy>", "the vocabulary has 516 tokens")]
    [InlineData(520, "", "", "")]
    [InlineData(576, "<toy>", "", "")]
    [InlineData(768, "", "<toy>", "")]
    [InlineData(519, "", "", "the vocabulary has 515 tokens, but the text encoder has embeddings for 519")]
    [InlineData(584, "", "", "the vocabulary has 515 tokens, but the text encoder has embeddings for 584")]
    public void TheVocabularyMustBeThatOfTheTable(int rows, string added, string inTokenizer, string expected)
    {
        using var folder = new TempFolder();
        ClipVocabulary.FromMerges([("o", "t")]).Save(folder.Root);
        if (added.Length > 0)
        {
            File.WriteAllText(folder.File("added_tokens.json"), $$"""{"{{added}}": 515}""");
        }

        if (inTokenizer.Length > 0)
        {
            string vocab = File.ReadAllText(folder.File("vocab.json"));
            File.WriteAllText(folder.File("tokenizer.json"), $$$"""
                {"added_tokens": [{"id": 514, "content": "<|endoftext|>"}, {"id": 515, "content": "{{{inTokenizer}}}"}],
                 "model": {"vocab": {{{vocab}}}, "merges": ["o t"]}}
                """);
            File.Delete(folder.File("vocab.json"));
        }

        var tokenizer = ClipTokenizer.Load(folder.Root);
        if (expected.Length > 0)
        {
            Assert.Contains(expected, Assert.Throws<InputException>(() => tokenizer.CheckVocabulary(rows, "clip")).Message);
            return;
        }

        int tokens = added.Length + inTokenizer.Length > 0 ? 516 : 515;
        string? note = tokenizer.CheckVocabulary(rows, "clip");
        string? padding = rows == tokens ? null : $"clip: the text encoder has embeddings for {rows} tokens and the vocabulary {tokens}; the other "
            + $"{rows - tokens} are taken for padding, which is never read";
        Assert.Equal(padding, note);
        if (added.Length + inTokenizer.Length > 0)
        {
            Assert.Contains(
                "found '<toy>', a token that was added", Assert.Throws<InputException>(() => tokenizer.Encode("a <toy> cat", 16)).Message);
        }
    }

    // transformers takes a text's feature where this id stands first; files that say 2 are older than that.
    [Theory]
    [InlineData("713", false)]
    [InlineData("2", false)]
    [InlineData("null", false)]
    [InlineData("712", true)]
    [InlineData("49407", true)]
    public void TheStatedEndOfTextIsTheVocabularys(string stated, bool refused)
    {
        using var folder = new TempFolder();
        using var device = new CpuDevice(1);
        string clip = TinyClip.Edited(folder, _ => { }), config = Path.Combine(clip, "config.json");
        foreach (string file in (string[])["vocab.json", "merges.txt"])
        {
            File.Copy(Path.Combine(TinyClip.Folder, file), Path.Combine(clip, file));
        }

        JsonNode json = JsonNode.Parse(File.ReadAllText(config))!;
        json["text_config"]!["eos_token_id"] = JsonNode.Parse(stated);
        File.WriteAllText(config, json.ToJsonString());
        using ClipEmbedder embedder = ClipEmbedder.Load(clip, device);
        if (refused)
        {
            Assert.Contains(
                $"config.json says text_config.eos_token_id is {stated}, but <|endoftext|> has the id 713 in the vocabulary",
                Assert.Throws<InputException>(() => embedder.EmbedTexts(["a cat"], cancellation: TestContext.Current.CancellationToken)).Message);
            return;
        }

        Assert.Equal(64, embedder.EmbedTexts(["a cat"], cancellation: TestContext.Current.CancellationToken).Length);
    }

    // Byte pairs of another kind give other tokens.
    [Theory]
    [InlineData("", "", "")]
    [InlineData("\"type\": \"BPE\", \"dropout\": null, \"continuing_subword_prefix\": \"\", \"end_of_word_suffix\": \"</w>\", ",
        "\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFC\"}, {\"type\": \"Lowercase\"}]}, ", "")]
    [InlineData("\"type\": \"WordPiece\", ", "", "model.type is 'WordPiece', expected BPE")]
    [InlineData("\"end_of_word_suffix\": \"\", ", "", "model.end_of_word_suffix is '', expected </w>")]
    [InlineData("\"continuing_subword_prefix\": \"##\", ", "", "model.continuing_subword_prefix is '##'")]
    [InlineData("\"dropout\": 0.1, ", "", "model.dropout is '0.1', expected none")]
    [InlineData("", "\"normalizer\": null, ", "normalizer has the steps 'Null', expected NFC, Replace, Lowercase")]
    [InlineData("", "\"normalizer\": {\"type\": \"NFC\"}, ", "normalizer has the steps 'NFC'")]
    [InlineData("", "\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Lowercase\"}, {\"type\": \"StripAccents\"}]}, ",
        "'Lowercase, StripAccents'")]
    [InlineData("", "\"normalizer\": {\"type\": \"BertNormalizer\", \"lowercase\": true, \"strip_accents\": true}, ", "'BertNormalizer'")]
    [InlineData("", "\"normalizer\": {\"type\": \"Lowercase\"}, ", "")]
    [InlineData("", "\"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\"}, {\"type\": \"ByteLevel\"}]}, ", "")]
    [InlineData("", "\"pre_tokenizer\": {\"type\": \"Metaspace\"}, ", "pre_tokenizer has the steps 'Metaspace', expected Split and ByteLevel")]
    [InlineData("", "\"pre_tokenizer\": {\"type\": \"ByteLevel\"}, ", "pre_tokenizer has the steps 'ByteLevel'")]
    [InlineData("", "\"pre_tokenizer\": null, ", "pre_tokenizer has the steps 'Null'")]
    public void ATokenizerOfAnotherKindIsRefused(string model, string beside, string expected)
    {
        using var folder = new TempFolder();
        ClipVocabulary.FromMerges([("o", "t")]).Save(folder.Root);
        string vocab = File.ReadAllText(folder.File("vocab.json"));
        File.WriteAllText(
            folder.File("tokenizer.json"), $$$"""{{{{beside}}}"model": {{{{model}}}"vocab": {{{vocab}}}, "merges": ["o t"]}}""");
        File.Delete(folder.File("vocab.json"));
        if (expected.Length > 0)
        {
            Assert.Contains(expected, Assert.Throws<InputException>(() => ClipTokenizer.Load(folder.Root)).Message);
            return;
        }

        Assert.NotEqual(0, ClipTokenizer.Load(folder.Root).EndOfText);
    }

    // The end of a text is where its largest id is.
    [Theory]
    [InlineData("a")]
    [InlineData("<|startoftext|>")]
    public void TheEndOfTextHasTheLargestId(string token)
    {
        using var folder = new TempFolder();
        Dictionary<string, int> ids = new(ClipVocabulary.FromMerges([("o", "t")]).Ids);
        (ids[token], ids["<|endoftext|>"]) = (ids["<|endoftext|>"], ids[token]);
        new ClipVocabulary(ids, [("o", "t")]).Save(folder.Root);
        string message = Assert.Throws<InputException>(() => ClipTokenizer.Load(folder.Root)).Message;
        Assert.Contains($"vocab.json: <|endoftext|> has the id {ids["<|endoftext|>"]} and '", message);
        Assert.Contains("expected the end of text to have the largest id", message);
    }

    [Fact]
    public void RepeatedAndNegativeIdsAreRefused()
    {
        Dictionary<string, int> ids = new(ClipVocabulary.FromMerges([]).Ids) { ["a"] = 0 };
        Assert.Contains("different id", Assert.Throws<InputException>(() => new ClipTokenizer(ids, [])).Message);
        ids["a"] = -1;
        Assert.Contains("different id", Assert.Throws<InputException>(() => new ClipTokenizer(ids, [])).Message);
    }
}
