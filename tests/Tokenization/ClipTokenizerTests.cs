using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Ldvc.Clip.Tokenization;
using Ldvc.Tensors;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Tokenization;

public class ClipTokenizerTests
{
    private static readonly string Folder = TestFiles.Data("clip-tiny", "hf");

    [Fact]
    public void GoldenIdsAreReproduced()
    {
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllText(TestFiles.Data("clip-tiny", "tokens.json")));
        ClipTokenizer tokenizer = ClipTokenizer.Load(Folder);
        JsonElement[] ids = [.. golden.RootElement.GetProperty("ids").EnumerateArray()];
        string[] texts = [.. golden.RootElement.GetProperty("texts").EnumerateArray().Select(t => t.GetString()!)];
        Assert.Equal(8, texts.Length);
        for (int i = 0; i < texts.Length; i++)
        {
            Assert.Equal(ids[i].EnumerateArray().Select(id => id.GetInt32()), tokenizer.Encode(texts[i], 32));
        }
    }

    [Fact]
    public void DifficultTextsGetTheIdsOfThePlainReference()
    {
        using JsonDocument reference = JsonDocument.Parse(File.ReadAllText(TestFiles.Data("checkpoints", "tokens.json")));
        ClipTokenizer tokenizer = ClipTokenizer.Load(Folder);
        Assert.All(reference.RootElement.EnumerateArray(), row => Assert.Equal(
            row.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()),
            tokenizer.EncodeUnpadded(row.GetProperty("text").GetString()!)));
    }

    [Fact]
    public void LongTextsKeepTheEndToken()
    {
        ClipTokenizer tokenizer = ClipTokenizer.Load(Folder);
        int[] ids = tokenizer.Encode("1 2 3 4 5", 4);
        Assert.Equal([tokenizer.StartOfText, tokenizer.EncodeUnpadded("1")[1], tokenizer.EncodeUnpadded("2")[1], tokenizer.EndOfText], ids);
        Assert.Equal([tokenizer.StartOfText, tokenizer.EndOfText, 0], tokenizer.Encode("", 3));
        Assert.Equal(tokenizer.EncodeUnpadded("\uFFFD"), tokenizer.EncodeUnpadded("\uD800"));
    }

    [Fact]
    public void TheIdsOfTheSpecialTokensComeFromTheVocabulary()
    {
        ClipVocabulary vocabulary = ClipVocabulary.FromMerges([]);
        Dictionary<string, int> ids = vocabulary.Ids.ToDictionary(pair => pair.Key, pair => pair.Value + 10);
        ids[WordSplitter.StartOfText] = 3;
        Assert.Equal([3, (int)'a' - '!' + 256 + 10, 513 + 10], new ClipTokenizer(ids, []).EncodeUnpadded("a"));
    }

    [Fact]
    public void TokenizerJsonAndOpenAisListGiveTheSameIds()
    {
        using var folder = new TempFolder();
        ClipTokenizer original = ClipTokenizer.Load(Folder);
        IEnumerable<string> lines = original.Vocabulary.Merges.Select(m => $"{m.Left} {m.Right}");

        string json = JsonSerializer.Serialize(new { model = new { vocab = original.Vocabulary.Ids, merges = lines } });
        File.WriteAllText(folder.File("tokenizer.json"), json);
        Same(original, ClipTokenizer.Load(folder.Root));

        var pairs = original.Vocabulary.Merges.Select(m => new[] { m.Left, m.Right });
        json = JsonSerializer.Serialize(new { model = new { vocab = original.Vocabulary.Ids, merges = pairs } });
        File.WriteAllText(folder.File("tokenizer.json"), json);
        Same(original, ClipTokenizer.Load(folder.Root));

        File.Delete(folder.File("tokenizer.json"));
        using (var gzip = new GZipStream(File.Create(folder.File(VocabularyFiles.OpenAi)), CompressionLevel.Fastest))
        {
            gzip.Write(Encoding.UTF8.GetBytes("\"bpe_simple_vocab_16e6.txt#version: 0.2\n" + string.Join('\n', lines) + "\n"));
        }

        File.WriteAllText(folder.File("ViT.pt"), "the checkpoint beside it");
        Same(original, ClipTokenizer.Load(folder.File("ViT.pt")));
    }

    // The real list has 262144 merges, of which CLIP takes the first; 49408 ids, start and end of text last.
    [Fact]
    public void OpenAisListIsCutWhereClipCutsIt()
    {
        using var folder = new TempFolder();
        string[] symbols = [.. ByteSymbols.InOrder];
        IEnumerable<string> lines = from left in symbols from right in symbols select $"{left} {right}";
        using (var gzip = new GZipStream(File.Create(folder.File(VocabularyFiles.OpenAi)), CompressionLevel.Fastest))
        {
            gzip.Write(Encoding.UTF8.GetBytes("\"bpe_simple_vocab_16e6.txt#version: 0.2\n" + string.Join('\n', lines) + "\n"));
        }

        ClipTokenizer tokenizer = ClipTokenizer.Load(folder.Root);
        Assert.Equal(49408, tokenizer.Vocabulary.Ids.Count);
        Assert.Equal((49406, 49407), (tokenizer.StartOfText, tokenizer.EndOfText));
        Assert.Equal(48894, tokenizer.Vocabulary.Merges.Count);
    }

    [Fact]
    public void SavedFilesAreThoseOfHuggingFace()
    {
        using var folder = new TempFolder();
        ClipTokenizer original = ClipTokenizer.Load(Folder);
        original.Vocabulary.Save(folder.Root);
        Assert.Equal(File.ReadAllText(Path.Combine(Folder, "merges.txt")).TrimEnd(), File.ReadAllText(folder.File("merges.txt")).TrimEnd());
        Same(original, ClipTokenizer.Load(folder.Root));
    }

    private static void Same(ClipTokenizer expected, ClipTokenizer got)
    {
        Assert.Equal(expected.Vocabulary.Ids, got.Vocabulary.Ids);
        Assert.Equal(expected.EncodeUnpadded("A handbag, 7 sandwiches & naïve cats"), got.EncodeUnpadded("A handbag, 7 sandwiches & naïve cats"));
    }
}
