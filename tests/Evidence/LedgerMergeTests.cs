using System.Text.Json.Nodes;
using Ldvc.Configuration;
using Ldvc.Lab.Evidence;
using Ldvc.Lab.Pages;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Evidence;

/// <summary>`bench merge`: the seeds of several entries in one.</summary>
public sealed class LedgerMergeTests
{
    [Fact]
    public void PartsAreWhatOneComparisonWouldHaveGiven()
    {
        LedgerEntry whole = Of(0, 1, 2, 3, 4, 4, 5), first = Of(0, 1, 2, 3, 4), second = Of(4, 4, 5) with
        {
            Recorded = "2026-11-30",
            Command = "ldvc ablate configs/evidence/small.yaml --set train.seed=4 --seeds 2",
        };
        LedgerEntry merged = LedgerMerge.Of([("b", second), ("a", first)]);
        LedgerRow[] expected = whole.Rows;
        Assert.Equal(JsonText.Of(expected), JsonText.Of(merged.Rows));
        Assert.Equal([0, 1, 2, 3, 4, 5], merged.Seeds);
        Assert.Equal("2026-11-30", merged.Recorded);
        Assert.Equal(14400, merged.Seconds);
        Assert.Equal((0, 6), ((int)merged.Configuration!["train"]!["seed"]!, (int)merged.Configuration["ablate"]!["seeds"]!));
        Assert.Equal($"{first.Command}; {second.Command}", merged.Command);

        // Its parts are as they were.
        Assert.Equal(4, (int)first.Configuration!["ablate"]!["seeds"]!);
    }

    [Fact]
    public void ThePageNamesEveryProgramAndMachine()
    {
        LedgerEntry first = Of(0, 1, 2), second = Of(2, 3);
        var other = new Machine("Other CPU", 4, "Linux", ".NET 10");
        second = second with { Program = second.Program with { Commit = "fedcba9876543210", Machine = other } };
        LedgerEntry merged = LedgerMerge.Of([("a", first), ("b", second)]);
        Assert.Equal([first.Program, second.Program], merged.MeasuredBy);
        string source = LedgerViews.Source(new ViewInput("a", merged, ""));
        Assert.Contains("commit 0123456, commit fedcba9", source, StringComparison.Ordinal);
        Assert.Contains("Some CPU, 2 cores and Other CPU, 4 cores", source, StringComparison.Ordinal);
    }

    [Fact]
    public void PartsThatDoNotBelongTogetherAreRefused()
    {
        LedgerEntry first = Of(0, 1, 2), good = Of(2, 3, 4);
        void Refused(LedgerEntry other, string expected)
        {
            string message = Assert.Throws<InputException>(() => LedgerMerge.Of([("a", first), ("b", other)])).Message;
            Assert.Contains(expected, message, StringComparison.Ordinal);
        }

        Refused(Of(1, 1, 2), "expected seeds that follow one another, each once, found 0, 1, 1, 2");
        Refused(Of(3, 1, 2), "found 0, 1, 3, 4");
        Refused(good with { Kind = LedgerKind.Demo }, "b: expected an entry of ablate, found one of demo");
        Refused(good with { CheckedSteps = 2 }, "b: expected runs that say which program trained them");
        Refused(good with { Program = good.Program with { Bits = "00000000" } }, "b: expected the arithmetic of a, ");
        Refused(good with { MeasuredBy = [good.Program, good.Program with { VectorBits = 64 }] }, "b: expected the arithmetic of a, ");
        Refused(good with { Device = "opencl" }, "b: expected the device and precision of a, cpu fp32, found opencl fp32");
        Refused(good with { Pictures = 7 }, "b: expected the number of pictures of a, 0, found 7");
        Refused(good with { Rows = good.Rows[..2] }, "b: expected the rows of a, training-free, zegclip, ldvc, found training-free, zegclip");
        Refused(good with { Seeds = [2, 3, 4] }, "b: row zegclip: expected a run of each seed (2, 3, 4), found 2, 3");
        LedgerRow alone = good.Rows[0] with { Runs = [Entries.Run(0, 0.31)] };
        Refused(good with { Rows = [alone, .. good.Rows[1..]] }, "b: expected the scores of row training-free of a");
        var options = (JsonObject)good.Configuration!.DeepClone();
        options["train"]!["lr"] = 1;
        Refused(good with { Configuration = options }, "b: expected the option train.lr of a, 0.0002, found 1");
    }

    // An entry of before data.synthetic.noise and train.warmup were options.
    [Fact]
    public void AnOptionThatAnEntryIsTooOldForHasItsDefault()
    {
        LedgerEntry first = Of(0, 1, 2), second = Of(2, 3, 4);
        var old = (JsonObject)first.Configuration!.DeepClone();
        Assert.True(((JsonObject)old["data"]!["synthetic"]!).Remove("noise"));
        Assert.True(((JsonObject)old["train"]!).Remove("warmup"));
        first = first with { Configuration = old };
        Assert.Equal(4, LedgerMerge.Of([("a", first), ("b", second)]).Seeds.Length);
        var options = (JsonObject)second.Configuration!.DeepClone();
        options["data"]!["synthetic"]!["noise"] = 50;
        Assert.Contains(
            "expected the option data.synthetic.noise of a, null, found 50",
            Assert.Throws<InputException>(() => LedgerMerge.Of([("a", first), ("b", second with { Configuration = options })])).Message,
            StringComparison.Ordinal);
    }

    // Seeds first, first + 1 and so on; each difference is known by its seed, so that a part's runs are those of the whole.
    private static LedgerEntry Of(int first, params double[] differences)
    {
        LedgerEntry entry = Entries.Comparison(differences);
        LdvcConfig config = new();
        config = config with
        {
            Train = config.Train with { Seed = first },
            Ablate = config.Ablate with { Seeds = differences.Length },
        };
        return entry with
        {
            Configuration = Ledger.Configuration(config),
            Seeds = [.. entry.Seeds.Select(seed => seed + first)],
            Rows = [.. entry.Rows.Select(row =>
                row.Trained ? row with { Runs = [.. row.Runs.Select(run => run with { Seed = run.Seed + first })] } : row)],
        };
    }
}
