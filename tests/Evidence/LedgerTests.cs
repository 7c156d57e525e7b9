using Ldvc.Configuration;
using Ldvc.Lab.Evidence;
using Ldvc.Tensors;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Evidence;

/// <summary>Entries of the ledger as files.</summary>
public sealed class LedgerTests
{
    [Theory]
    [InlineData("small", true)]
    [InlineData("peers-cuda_2", true)]
    [InlineData("bits", false)]
    [InlineData("", false)]
    [InlineData("../small", false)]
    [InlineData("a/b", false)]
    [InlineData("a\\b", false)]
    [InlineData("a.json", false)]
    [InlineData("-a", false)]
    [InlineData("a b", false)]
    public void NamesAreFilesOfTheFolder(string name, bool good)
    {
        if (good)
        {
            Assert.Equal(name, Ledger.CheckName(name, "--record"));
            return;
        }

        string message = Assert.Throws<InputException>(() => Ledger.CheckName(name, "--record")).Message;
        Assert.StartsWith("--record: expected ", message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsWrittenIsRead()
    {
        using var folder = new TempFolder();
        LedgerEntry entry = Entries.Comparison(1, double.NaN) with
        {
            MeasuredBy = [Origin.Here],
            CheckedSteps = 20,
            Configuration = Ledger.Configuration(new LdvcConfig()),
        };
        string path = Ledger.Write(folder.File("results"), "small", entry);
        Assert.Equal(folder.File("results/small.json"), path);
        LedgerEntry read = Ledger.Read(folder.File("results"), "small");
        Assert.Equal(JsonText.Of(entry), JsonText.Of(read));
        Assert.True(double.IsNaN(read.Rows[2].Runs[1].Scores[LedgerScores.Unseen]));
        Assert.Equal(Origin.Here, read.MeasuredBy[0]);

        // Replaced, not added to; and nothing else stays in the folder.
        Ledger.Write(folder.File("results"), "small", entry with { Rows = [] });
        Assert.Empty(Ledger.Read(folder.File("results"), "small").Rows);
        Assert.Single(Directory.EnumerateFileSystemEntries(folder.File("results")));
    }

    [Fact]
    public void AConfigurationDoesNotSayWhereItWasRun()
    {
        LdvcConfig config = new() { Train = new TrainConfig { Out = "/somewhere" }, Ablate = new AblateConfig { Out = "/elsewhere" } };
        string text = Ledger.Configuration(config).ToJsonString();
        Assert.DoesNotContain("where", text);
        Assert.Contains("\"iterations\":20000", text);
        Assert.DoesNotContain("pretrain", text);
    }

    [Fact]
    public void CommandsSayWhatWasMeasuredAndNotWhereItWent() => Assert.Equal(
        "ldvc ablate configs/small.yaml --set \"data.classes=[a b]\" --seeds 8",
        CommandText.Of(
            "ldvc",
            [
                "ablate", Path.Combine(
                    Path.GetTempPath(), "configs/small.yaml"), "--out", "/somewhere", "--set", "data.classes=[a b]", "--seeds", "8",
                "--json=x.json", "--record", "small",
            ],
            Path.GetTempPath()));

    // Typed into a POSIX shell in the same folder, it is the same command.
    [Theory]
    [InlineData("/home/me/data/voc", "data/voc")]
    [InlineData("data.root=/home/me/data", "data.root=data")]
    [InlineData("ablate.splits=[/home/me/a.txt,/home/me/b.txt]", "ablate.splits=[a.txt,b.txt]")]
    [InlineData("/backup/home/me/data", "/backup/home/me/data")]
    [InlineData("data.root=/mnt/home/me/home/me/x", "data.root=/mnt/home/me/home/me/x")]
    [InlineData("/home/mean/x", "/home/mean/x")]
    [InlineData("Müller's", "\"Müller's\"")]
    [InlineData("a \"b\" $HOME `c` \\d", "\"a \\\"b\\\" \\$HOME \\`c\\` \\\\d\"")]
    [InlineData("", "\"\"")]
    public void CommandsCanBeTypedAgain(string argument, string kept) =>
        Assert.Equal($"ldvc eval {kept}", CommandText.Of("ldvc", ["eval", argument], "/home/me"));

    [Fact]
    public void TheFolderIsTheRepositorysOrThatOfThePlace()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder.File("repository/docs/deep"));
        File.WriteAllText(folder.File("repository/Ldvc.sln"), "");
        Assert.Equal(folder.File("repository/results"), Ledger.FolderFor(folder.File("repository/docs/deep")));
        Assert.Equal(folder.File("results"), Ledger.FolderFor(folder.Root));
    }

    [Fact]
    public void ADamagedEntryIsOneSentence()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("a.json"), "{\"kind\": \"ablate\"}");
        string damaged = Assert.Throws<InputException>(() => Ledger.Read(folder.Root, "a")).Message;
        Assert.StartsWith(folder.File("a.json") + ": is not what it should be", damaged, StringComparison.Ordinal);
        Assert.Contains("file not found", Assert.Throws<InputException>(() => Ledger.Read(folder.Root, "b")).Message);
        File.WriteAllText(folder.File("bits.json"), "{\"changes\": []}");
        Assert.Contains("expected at least one change", Assert.Throws<InputException>(() => BitsHistory.Read(folder.File("bits.json"))).Message);
    }
}
