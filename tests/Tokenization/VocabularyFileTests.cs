using Ldvc.Clip.Tokenization;
using Ldvc.Tensors;
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

    [Fact]
    public void RepeatedAndNegativeIdsAreRefused()
    {
        Dictionary<string, int> ids = new(ClipVocabulary.FromMerges([]).Ids) { ["a"] = 0 };
        Assert.Contains("different id", Assert.Throws<InputException>(() => new ClipTokenizer(ids, [])).Message);
        ids["a"] = -1;
        Assert.Contains("different id", Assert.Throws<InputException>(() => new ClipTokenizer(ids, [])).Message);
    }
}
