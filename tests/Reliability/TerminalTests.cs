using Ldvc.App.Cli;
using Ldvc.App.Terminal;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Serialization;
using Spectre.Console;
using Xunit;

namespace Ldvc.Tests.Reliability;

/// <summary>What strangers wrote reaches the terminal as text alone; output that cannot be written is said to be so.</summary>
public sealed class TerminalTests
{
    // A screen cleared, a title set, a C1 introducer, a name turned round, an isolate, half a pair, a bell.
    private const string Hostile = "a\u001b[2Jb\u001b]0;x\u0007c\u009b31md\u202Egnp.\u2066e\uD800f\u2028g\u007Fh\u200Fi\rj";

    [Fact]
    public void ControlCharactersBecomeQuestionMarks()
    {
        Assert.Equal("a?[2Jb?]0;x?c?31md?gnp.?e?f?g?h?i?j", TerminalText.Clean(Hostile));
        foreach (string harmless in new[] { "", "caf\u00e9 \u732B \U0001F408 [bold]\ttab\n", "line\r\nline" })
        {
            Assert.Equal(harmless, TerminalText.Clean(harmless));
        }
    }

    [Fact]
    public void EveryWayToAConsoleIsCleaned()
    {
        using var written = new StringWriter();
        using var clean = new CleanWriter(written);
        clean.Write(Hostile);
        clean.WriteLine(Hostile);
        clean.Write(Hostile.AsSpan());
        clean.Write(Hostile.ToCharArray());
        foreach (char c in Hostile)
        {
            clean.Write(c);
        }

        clean.WriteLine("{0}", Hostile);
        clean.WriteLine();
        AssertHarmless(written);
        foreach (bool interactive in new[] { false, true })
        {
            IAnsiConsole console = ConsoleFactory.Create(clean, interactive);
            console.Profile.Capabilities.Ansi = false;
            console.WriteLine(Hostile);
            console.Write(new Table().AddColumn(new TableColumn(new Text(Hostile))).AddRow(new Text(Hostile)));
            ConsoleFactory.WriteAbove(console, Hostile);
        }

        AssertHarmless(written);
    }

    [Fact]
    public void WhatFilesAreCalledAndHoldReachesNoTerminal()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("c.yaml"), "\"tr\\u001b[31main\": 1\n");
        foreach (string[] line in new string[][]
        {
            ["config", "none-" + Hostile + ".yaml"],
            ["config", folder.File("c.yaml")],
            ["segment", Hostile + ".png", "--checkpoint", Hostile, "--classes", "a,b", "--out", folder.File("out")],
            [Hostile],
        })
        {
            (int code, string output, string error) = CommandLine.Run(line);
            Assert.Equal(2, code);
            Assert.DoesNotContain(output + error, c => char.IsControl(c) && c != '\n');
            Assert.DoesNotContain('\u202E', output + error);
        }
    }

    [Fact]
    public void OutputThatIsFullIsSaidAtTheEnd()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        using var full = new FullWriter();
        using var error = new StringWriter();
        Assert.Equal(2, Application.Run(["--version"], full, error, cancellation: token));
        Assert.Equal($"ldvc: standard output cannot be written (No space left on device).{Environment.NewLine}", error.ToString());

        // Errors that cannot be written change nothing.
        Assert.Equal(2, Application.Run(["none"], TextWriter.Null, full, cancellation: token));
        Assert.Equal(2, Application.Run(["none"], full, full, cancellation: token));
    }

    private static void AssertHarmless(StringWriter written) => Assert.DoesNotContain(
        written.ToString(), c => (char.IsControl(c) && c != '\n') || c is '\u202E' or '\u2066' or '\u200F' || char.IsSurrogate(c));

    private sealed class FullWriter : StringWriter
    {
        public override void Write(char value) => throw Full();

        public override void Write(string? value) => throw Full();

        public override void WriteLine(string? value) => throw Full();

        private static IOException Full() => new("No space left on device.");
    }
}
