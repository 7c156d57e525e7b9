using Ldvc.Configuration;
using Ldvc.Lab.Ablation;
using Ldvc.Tests.Configuration;
using Xunit;

namespace Ldvc.Tests.Ablation;

/// <summary>Every number stands in its own column: with numbers that differ, none can be another one's.</summary>
public sealed class TablesTests
{
    [Fact]
    public void NumbersStandUnderTheirHeaders()
    {
        LdvcConfig config = ConfigFiles.Load("", "ablate.rows=[zegclip, ldvc]", "ablate.seeds=2", "ablate.penalties=[0.2, 0.3]");
        AblationPlan plan = AblationPlan.Create(config, null);
        var results = new AblationResults(plan, config);
        for (int i = 0; i < plan.Runs.Count; i++)
        {
            results.Add(plan.Runs[i], Result(plan.Runs[i], i));
        }

        IReadOnlyList<AblationTable> tables = AblationTables.All(results);
        Check("Scores", ["pAcc", "mIoU(S)", "mIoU(U)", "hIoU"], 0.1);
        Check("The same models without", ["pAcc", "mIoU(S)", "mIoU(U)", "hIoU"], 0.2);
        Check("Control: class embeddings shuffled, seen", ["pAcc", "mIoU(S)", "mIoU(U)", "hIoU"], 0.3);
        Check("Control: class embeddings shuffled, no", ["pAcc", "mIoU(S)", "mIoU(U)", "hIoU"], 0.4);
        AblationTable pieces = Find("Fragmentation");
        Assert.Equal(["", "pieces per object", "of at least a patch", "pieces of the right class per object found", "seeds"], pieces.Headers);
        Assert.Equal(["9.01 ± 1.41", "5.01 ± 1.41", "2.01 ± 1.41", "2"], pieces.Rows[0].Skip(1));
        Assert.Equal(["10.01 ± 1.41", "6.01 ± 1.41", "3.01 ± 1.41", "2"], pieces.Rows[1].Skip(1));
        AblationTable penalties = tables.First(t => t.Caption.StartsWith("Sweep over the seen penalty, LDVC", StringComparison.Ordinal));
        Assert.Equal(["0.2", "0.3"], penalties.Rows.Select(r => r[0]));
        Assert.StartsWith("72", penalties.Rows[0][1], StringComparison.Ordinal);
        Assert.StartsWith("82", penalties.Rows[1][1], StringComparison.Ordinal);

        // Differences of two seeds, both 1 point: equal ones have no standard deviation but that of rounding.
        AblationTable tests = Find("Paired t-test of the gain over ZegCLIP");
        Assert.Equal(["", "score", "mean", "standard deviation", "95 % interval", "t", "p", "n"], tests.Headers);
        Assert.Equal(["pAcc", "mIoU(S)", "mIoU(U)", "hIoU"], tests.Rows.Select(r => r[1]));
        Assert.All(tests.Rows, r => Assert.Equal(["1.00", "0.00", "1.00 to 1.00", "0.000", "2"], [r[2], r[3], r[4], r[6], r[7]]));

        AblationTable Find(string start) => tables.First(t => t.Caption.StartsWith(start, StringComparison.Ordinal));
        void Check(string start, string[] headers, double first)
        {
            AblationTable table = Find(start);
            Assert.Equal(headers, table.Headers.Skip(1).Take(4));
            for (int row = 0; row < 2; row++)
            {
                string[] expected = [.. Enumerable.Range(0, 4)
                    .Select(column => SampleStatistics.Of([Value(first, row, column), Value(first, row + 2, column)]).Text())];
                Assert.Equal(expected, table.Rows[row].Skip(1).Take(4));
                Assert.Equal("2", table.Rows[row][5]);
            }
        }
    }

    // Run i of the plan: zegclip and ldvc of seed 0, then of seed 1.
    private static double Value(double first, int run, int column) => first + (0.01 * run) + (0.002 * column);

    private static ScoreLine Line(double first, int run) =>
        new(Value(first, run, 0), Value(first, run, 1), Value(first, run, 2), Value(first, run, 3));

    private static RunResult Result(PlannedRun run, int i) => new()
    {
        Fingerprint = "",
        Variant = run.Variant.Key,
        Seed = run.Seed,
        Scores = Line(0.1, i),
        NoPenalty = Line(0.2, i),
        Shuffled = Line(0.3, i),
        ShuffledNoPenalty = Line(0.4, i),
        Penalties = [new PenaltyScore(0.2, Line(0.7, i)), new PenaltyScore(0.3, Line(0.8, i))],
        PiecesPerObject = 8.01 + i,
        LargePiecesPerObject = 4.01 + i,
        RightPiecesPerFound = 1.01 + i,
        Pictures = 1,
        Steps = 1,
        TrainImagesPerSecond = 1,
        Checkpoint = "",
    };
}
