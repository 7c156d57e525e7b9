using System.Text.Json;
using Ldvc.App.Cli;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Inference;
using Xunit;

namespace Ldvc.Tests.Inference;

/// <summary>Scores against confusion matrices small enough to work out by hand.</summary>
public sealed class ScoresTests
{
    private static readonly ClassList Classes = new(["a", "b", "c"], "test");
    private static readonly ZeroShotSplit Split = ZeroShotSplit.WithUnseen(3, [2], "test");

    [Fact]
    public void HandMadeMatrix()
    {
        // Rows are the truth; the last column is predicted background.
        Scores scores = Scores.From(Matrix([[6, 2, 0, 2], [1, 3, 0, 0], [0, 4, 2, 0]]), Classes, Split);
        Assert.Equal(11 / 20.0, scores.PixelAccuracy, 12);
        Assert.Equal(6 / 11.0, scores.Classes[0].IoU, 12);   // 10 true, 7 predicted
        Assert.Equal(3 / 10.0, scores.Classes[1].IoU, 12);   // 4 true, 9 predicted
        Assert.Equal(2 / 6.0, scores.Classes[2].IoU, 12);    // 6 true, 2 predicted
        double seen = ((6 / 11.0) + 0.3) / 2, unseen = 1 / 3.0;
        Assert.Equal(seen, scores.Seen, 12);
        Assert.Equal(unseen, scores.Unseen, 12);
        Assert.Equal(2 * seen * unseen / (seen + unseen), scores.Harmonic, 12);
        Assert.Equal(((6 / 11.0) + 0.3 + (1 / 3.0)) / 3, scores.MeanIoU, 12);
        Assert.Equal([0.6, 0.75, 2 / 6.0], scores.Classes.Select(c => c.Accuracy));
        Assert.Equal([10L, 4L, 6L], scores.Classes.Select(c => c.Pixels));
        Assert.Equal([true, true, false], scores.Classes.Select(c => c.Seen));
    }

    [Fact]
    public void ClassesThatNeitherOccurNorArePredictedDoNotCount()
    {
        Scores scores = Scores.From(Matrix([[5, 0, 5, 0], [0, 0, 0, 0], [0, 0, 0, 0]]), Classes, Split);
        Assert.Equal(0.5, scores.Seen);                      // b is left out
        Assert.Equal(0, scores.Unseen);                      // c is predicted but never right
        Assert.Equal(0, scores.Harmonic);
        Assert.Equal(0.25, scores.MeanIoU);
        Assert.True(double.IsNaN(scores.Classes[1].IoU));
        Assert.True(double.IsNaN(scores.Classes[2].Accuracy));
        Assert.Equal("pAcc 50.0  mIoU(S) 50.0  mIoU(U) 0.0  hIoU 0.0  mIoU 25.0", ScoreTable.Line(scores));
    }

    [Fact]
    public void WithoutUnseenClassesThereIsNoHarmonicMean()
    {
        Scores scores = Scores.From(Matrix([[5, 0, 0, 0], [0, 4, 0, 0], [0, 0, 3, 0]]), Classes, ZeroShotSplit.AllSeen(3));
        Assert.Equal(1, scores.Seen);
        Assert.True(double.IsNaN(scores.Unseen) && double.IsNaN(scores.Harmonic));
        Assert.Equal("pAcc 100.0  mIoU(S) 100.0  mIoU(U) -  hIoU -  mIoU 100.0", ScoreTable.Line(scores));
        JsonElement json = JsonDocument.Parse(JsonText.Of(ScoreTable.ToJson(scores))).RootElement;
        Assert.Equal(JsonValueKind.Null, json.GetProperty("hiou").ValueKind);
        Assert.Equal(1, json.GetProperty("miou_seen").GetDouble());
        Assert.Equal(3, json.GetProperty("classes")[2].GetProperty("pixels").GetInt32());
    }

    [Fact]
    public void NothingLabelledIsNothingScored()
    {
        Scores scores = Scores.From(Matrix([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]), Classes, Split);
        Assert.Equal("pAcc -  mIoU(S) -  mIoU(U) -  hIoU -  mIoU -", ScoreTable.Line(scores));
    }

    private static Confusion Matrix(int[][] rows)
    {
        var confusion = new Confusion(rows.Length);
        for (int truth = 0; truth < rows.Length; truth++)
        {
            for (int prediction = 0; prediction <= rows.Length; prediction++)
            {
                confusion.Counts[(truth * (rows.Length + 1)) + prediction] = rows[truth][prediction];
            }
        }

        return confusion;
    }
}
