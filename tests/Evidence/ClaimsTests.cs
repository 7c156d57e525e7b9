using Ldvc.Lab.Ablation;
using Ldvc.Lab.Evidence;
using Xunit;

namespace Ldvc.Tests.Evidence;

/// <summary>No sentence says more than its seeds carry.</summary>
public sealed class ClaimsTests
{
    // Student's table: t of 2, 4 and 7 degrees of freedom at 95 % is 4.303, 2.776 and 2.365.
    [Theory]
    [InlineData(new[] { 0.01, 0.02, 0.03 }, 4.303)]
    [InlineData(new[] { 0.5, 0.1, 0.2, 0.4, 0.3 }, 2.776)]
    [InlineData(new[] { 1.0, 2, 3, 4, 5, 6, 7, 8 }, 2.365)]
    public void TheIntervalIsStudents(double[] values, double t)
    {
        SampleStatistics over = SampleStatistics.Of(values);
        Assert.Equal(t, over.HalfWidth() / (over.StandardDeviation / Math.Sqrt(values.Length)), 3);
        PairedTTest test = PairedTTest.Of(values)!.Value;
        Assert.Equal((over.Mean - over.HalfWidth(), over.Mean + over.HalfWidth()), (test.Low, test.High));
    }

    [Fact]
    public void OneRunHasNoInterval() => Assert.True(double.IsNaN(SampleStatistics.Of([0.4]).HalfWidth()));

    [Theory]
    [InlineData("mIoU(U): B minus A is +4.6 points on one seed, which says nothing about others.", 4.6)]
    [InlineData("mIoU(U): the two are not told apart; B minus A is +6.7 points, 95 % interval -5.4 to +18.8 (3 seeds).", 1.1, 9.0, 10.0)]
    [InlineData("mIoU(U): B is ahead; B minus A is +5.0 points, 95 % interval +2.5 to +7.5 (3 seeds).", 4.0, 5.0, 6.0)]
    [InlineData("mIoU(U): A is ahead; B minus A is -5.0 points, 95 % interval -7.5 to -2.5 (3 seeds).", -4.0, -5.0, -6.0)]
    [InlineData("mIoU(U): B is ahead; B minus A is +3.0 points, 95 % interval +1.0 to +5.0 (5 seeds, B ahead on every "
        + "seed).", 1.0, 2.0, 3.0, 4.0, 5.0)]
    [InlineData("mIoU(U): the two are not told apart; B minus A is +1.0 points, 95 % interval -1.0 to +3.0 (5 seeds, B ahead on 3 of 5 "
        + "seeds).", -1.0, 0.0, 1.0, 2.0, 3.0)]
    public void SentencesFollowFromTheNumbers(string expected, params double[] points) =>
        Assert.Equal(expected, Claims.Sentence("B", "A", "mIoU(U)", [.. points.Select(p => p / 100)], "seed"));

    [Fact]
    public void NothingIsSaidOfWhatIsNotKnown()
    {
        Assert.Null(Claims.Sentence("B", "A", "hIoU", [], "seed"));
        Assert.Null(Claims.Sentence("B", "A", "hIoU", [0.1, double.NaN], "seed"));
        Assert.Empty(Claims.All(Entries.Comparison().Rows, "seed"));

        // The CLIP alone has no seeds and is no baseline of a paired test.
        IReadOnlyList<string> sentences = Claims.All(Entries.Comparison(1, 2, 3).Rows, "seed");
        Assert.Equal(3, sentences.Count);
        Assert.All(sentences, sentence => Assert.Contains("LDVC minus ZegCLIP", sentence));
    }

    [Fact]
    public void CurvesSayWhenAndNotOnlyWho()
    {
        LedgerRow Row(string title, params double[][] seeds) =>
            new(title, title, true, [.. seeds.Select((curve, i) => Entries.Run(i, curve[^1], curve))]);
        LedgerRow[] rows = [Row("A", [0.10, 0.5], [0.12, 0.5], [0.11, 0.5]), Row("B", [0.20, 0.4], [0.23, 0.6], [0.21, 0.5])];
        Assert.Equal([50, 100], LearningCurves.Steps(rows));
        IReadOnlyList<string> sentences = LearningCurves.Sentences(rows, "seed");
        Assert.StartsWith(
            "mIoU(U): after 50 steps B is ahead; after 100 steps the two are not told apart (95 % intervals of the paired differences, 3 seeds",
            sentences[0],
            StringComparison.Ordinal);
        AblationTable table = LearningCurves.Table(rows, "seeds");
        Assert.Equal(["50", "11.0 ± 1.0", "21.3 ± 1.5", "+10.3 (+8.9 to +11.8)"], table.Rows[0].Take(4));
        Assert.Equal("3", table.Rows[1][^1]);
        Assert.Equal(
            "B against A: 1 seed; nothing may be said of others.",
            Assert.Single(LearningCurves.Sentences([Row("A", [0.1, 0.2]), Row("B", [0.2, 0.3])], "seed")));

        // A row without a curve: no step that all have.
        Assert.Empty(LearningCurves.Steps([.. rows, new LedgerRow("c", "C", true, [Entries.Run(0, 0.1)])]));
    }
}
