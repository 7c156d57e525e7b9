using Ldvc.Clip.Tokenization;
using Xunit;

namespace Ldvc.Tests.Tokenization;

public class BpeTrainerTests
{
    [Fact]
    public void TheMostFrequentPairIsMergedFirst()
    {
        // "low" three times, "lot" twice: (l, o) occurs five times; then (lo, w</w>) three times; then (lo, t</w>).
        (IReadOnlyDictionary<string, int> ids, IReadOnlyList<(string, string)> merges) = BpeTrainer.Train(["Low low LOW", "lot lot", "x"], 1000);
        Assert.Equal([("l", "o"), ("lo", "w</w>"), ("lo", "t</w>")], merges);
        Assert.Equal(512 + 3 + 2, ids.Count);
        Assert.Equal(512, ids["lo"]);
        Assert.Equal(516, ids[WordSplitter.EndOfText]);
    }

    [Fact]
    public void TiesDoNotDependOnTheOrderOfTheTexts()
    {
        string[] texts = ["a cat on a mat", "a bat and a hat", "the rat sat", "cats and bats"];
        Assert.Equal(BpeTrainer.Train(texts, 518).Merges, BpeTrainer.Train(texts.Reverse(), 518).Merges);
        Assert.Equal(518, BpeTrainer.Train(texts, 518).Ids.Count);
    }

    [Fact]
    public void TrainedVocabularyTokenizesItsCorpusShorterAndEverythingElseToo()
    {
        string[] texts = [.. Enumerable.Repeat("a photo of a red circle", 5), .. Enumerable.Repeat("a photo of a blue square", 5)];
        var tokenizer = new ClipTokenizer(BpeTrainer.Train(texts, 700));
        Assert.Equal(8, tokenizer.EncodeUnpadded("a photo of a red circle").Length);
        Assert.Equal(2 + 3, tokenizer.EncodeUnpadded("☃").Length);
    }
}
