using Ldvc.Lab.Ablation;
using Ldvc.Lab.Synthetic;
using Ldvc.Tests.Configuration;
using Xunit;

namespace Ldvc.Tests.Ablation;

/// <summary>configs/evidence/splits: every thing of the benchmark is unseen in one of them.</summary>
public sealed class EvidenceSplitsTests
{
    private static readonly IReadOnlyList<ClassSplit> Splits = ClassSplit.Read(
        [.. Enumerable.Range(1, 5).Select(i => Path.Combine(ConfigFiles.Repository, "configs", "evidence", "splits", $"{i}.txt"))], "test");

    [Fact]
    public void TogetherTheyAreAllThings()
    {
        Assert.All(Splits, s => Assert.Equal(10, s.Unseen.Length));
        Assert.Equal(
            SceneTask.Scenes.Things.Select(t => t.Name).Order(StringComparer.Ordinal),
            Splits.SelectMany(s => s.Unseen).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void TheLastIsTheBenchmarksOwn() => Assert.Equal(SceneTask.Scenes.UnseenNames, Splits[^1].Unseen);

    // Otherwise a name would hold a word that no mask has ever shown.
    [Fact]
    public void EveryWordOfAnUnseenNameOccursInSeenOnes()
    {
        foreach (ClassSplit split in Splits)
        {
            var seen = SceneTask.Scenes.Things.Select(t => t.Name).Except(split.Unseen).SelectMany(n => n.Split(' ')).ToHashSet();
            Assert.Subset(seen, split.Unseen.SelectMany(n => n.Split(' ')).ToHashSet());
        }
    }
}
