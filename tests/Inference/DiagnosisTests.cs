using Ldvc.Data;
using Ldvc.Inference;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Inference;

/// <summary>What is read out of confusion matrices: mistakes, shifted labels, names that differ.</summary>
public sealed class DiagnosisTests
{
    [Fact]
    public void TheAssignmentIsTheBestOfAllPermutations()
    {
        var random = new CounterRandom(5, 0);
        for (int trial = 0; trial < 60; trial++)
        {
            int n = 1 + random.NextInt(6);
            var gain = new double[n, n];
            for (int i = 0; i < n * n; i++)
            {
                gain[i / n, i % n] = random.NextInt(trial % 2 == 0 ? 4 : 1000) - 1;
            }

            int[] best = Assignment.Best(gain);
            Assert.Equal(Enumerable.Range(0, n), best.Order());
            double expected = Permutations([.. Enumerable.Range(0, n)]).Max(p => p.Select((c, r) => gain[r, c]).Sum());
            Assert.Equal(expected, best.Select((c, r) => gain[r, c]).Sum(), 9);
        }
    }

    [Theory]
    [InlineData(1, "follows")]
    [InlineData(-1, "precedes")]
    public void AListThatIsShiftedByOneIsNoticed(int by, string word)
    {
        // A good model and one that is right in two of five pixels.
        foreach (double accuracy in new[] { 0.9, 0.4 })
        {
            Assert.Contains($"labels look shifted by one: each class is taken for the one that {word} it", Find(8, accuracy, c => c + by));
        }
    }

    [Fact]
    public void APartThatIsShiftedIsNamed()
    {
        string text = Find(8, 0.9, c => c < 4 ? c : c + 1)!;
        Assert.Contains("labels look shifted by one from 'class 4' to 'class 6'", text);
    }

    [Fact]
    public void TwoThatAreExchangedAndAPermutationAreNoticed()
    {
        Assert.Contains(
            "permuted: 'class 2' is taken for 'class 5', 'class 5' is taken for 'class 2'", Find(12, 0.8, c => c switch { 2 => 5, 5 => 2, _ => c }));
        Assert.Contains("permuted: 'class 0' is taken for 'class 7'", Find(8, 0.7, c => 7 - c));
        Assert.Contains("instead of 4.3 %", Find(8, 0.7, c => 7 - c));
    }

    [Fact]
    public void ScoresThatAreMerelyBadAreNoShift()
    {
        Assert.Null(Find(8, 0.9, c => c));
        Assert.Null(Find(8, 0.3, c => c));

        // Everything is taken for one class, or for one of two.
        Assert.Null(Find(8, 0.9, _ => 3));
        Assert.Null(Find(8, 0.9, c => c < 4 ? 3 : 4));

        // Of few classes, a single one that is taken for its neighbour is a large part.
        foreach (int[] taken in new[] { (int[])[3, 0, 3, 0], [3, 2, 0, 0], [2, 2, 0], [1, 4, 4, 0, 0] })
        {
            Assert.Null(Find(taken.Length, 0.99, c => taken[c]));
        }

        Assert.Contains("by one", Find(4, 0.99, c => c + 1));
        Assert.Contains("by one", Find(3, 0.99, c => c - 1));

        // One class is taken for a neighbour that it shares with another, as zero-shot models do.
        Assert.Null(Find(8, 0.9, c => c == 2 ? 3 : c));
        for (ulong seed = 0; seed < 40; seed++)
        {
            var random = new CounterRandom(seed, 3);
            var confusion = new Confusion(20);
            for (int i = 0; i < confusion.Counts.Length; i++)
            {
                confusion.Counts[i] = random.NextInt(100);
            }

            Assert.Null(LabelShift.Find(confusion, Names(20)));
        }
    }

    [Fact]
    public void MistakesAreTheMostFrequentOnes()
    {
        var confusion = new Confusion(3);
        long[] counts = [6, 1, 3, 0, 0, 5, 0, 0, 0, 0, 0, 0];
        counts.CopyTo(confusion.Counts, 0);
        TakenFor?[] mistakes = Diagnosis.Mistakes(confusion, Names(3));
        Assert.Equal(new TakenFor("class 2", 0.3), mistakes[0]);
        Assert.Null(mistakes[1]);
        Assert.Null(mistakes[2]);
        confusion.Counts[7] = 5;
        Assert.Equal(new TakenFor("background", 0.5), Diagnosis.Mistakes(confusion, Names(3))[1]);
    }

    [Fact]
    public void ClassesWithoutPixelsAndOtherNamesAreNoted()
    {
        var confusion = new Confusion(3);
        confusion.Counts[0] = 9;
        confusion.Counts[5] = 9;
        ScoreNote note = Assert.Single(Diagnosis.Notes(confusion, Names(3), Names(3)));
        Assert.Equal(("class-without-pixels", "no pixel of 'class 2' occurs, so its score says nothing"), (note.Kind, note.Text));
        note = Assert.Single(Diagnosis.Notes(new Confusion(3), Names(3), Names(3)));
        Assert.Equal("no-labels", note.Kind);
        confusion.Counts[10] = 9;
        Assert.Empty(Diagnosis.Notes(confusion, Names(3), Names(3)));

        // Case is no difference, and neither is the order.
        Assert.Empty(Diagnosis.Notes(confusion, Names(3), new ClassList(["Class 2", "class 1", "class 0"], "test")));
        note = Assert.Single(Diagnosis.Notes(confusion, Names(3), new ClassList(["class 0", "class 1", "cow", "sheep"], "test")));
        Assert.Equal(
            "the class names differ from the checkpoint's: 'class 2' of the data set is not in the checkpoint; 'cow', 'sheep' of the checkpoint are "
                + "not in the data set", note.Text);
    }

    private static ClassList Names(int count) => new(Enumerable.Range(0, count).Select(i => $"class {i}"), "test");

    // Each class is taken for another one with this accuracy, for no class when there is none, and the rest is spread evenly.
    private static string? Find(int classes, double accuracy, Func<int, int> to)
    {
        var confusion = new Confusion(classes);
        for (int truth = 0; truth < classes; truth++)
        {
            long pixels = 7000 + (100 * truth), right = (long)(accuracy * pixels);
            int target = to(truth) >= 0 && to(truth) < classes ? to(truth) : classes;
            Span<long> row = confusion.Counts.AsSpan(truth * (classes + 1), classes + 1);
            row[..classes].Fill((pixels - right) / (classes - 1));
            row[target] = right;
        }

        return LabelShift.Find(confusion, Names(classes));
    }

    private static IEnumerable<int[]> Permutations(int[] items) => items.Length == 1
        ? [items]
        : items.SelectMany(first => Permutations([.. items.Where(i => i != first)]).Select(rest => (int[])[first, .. rest]));
}
