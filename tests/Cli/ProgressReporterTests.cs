using Ldvc.App.Cli;
using Ldvc.App.Terminal;
using Ldvc.Lab.Ablation;
using Ldvc.Tests.Training;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Cli;

public sealed class ProgressReporterTests
{
    [Fact]
    public void PlainLinesComeEveryFewSecondsAndAtBothEnds()
    {
        using var output = new StringWriter();
        var clock = new ManualClock();
        var host = new VerbHost(output, TextWriter.Null, Interactive: false, CancellationToken.None);
        int result = ProgressReporter.Run(host, "step", 100, 120, progress =>
        {
            for (int step = 101; step <= 120; step++)
            {
                clock.Advance(1);
                progress.Report(new ProgressStatus(step, 1.23456, 1.25e-4, (step - 100) * 16));
                if (step == 110)
                {
                    progress.Message("checkpoint written");
                }
            }

            return 7;
        }, clock);
        Assert.Equal(7, result);
        string[] expected =
        [
            "step 101/120  loss 1.235  lr 1.25e-4  16 images/s  ETA 19 s",
            "step 106/120  loss 1.235  lr 1.25e-4  16 images/s  ETA 14 s",
            "checkpoint written",
            "step 111/120  loss 1.235  lr 1.25e-4  16 images/s  ETA 9 s",
            "step 116/120  loss 1.235  lr 1.25e-4  16 images/s  ETA 4 s",
            "step 120/120  loss 1.235  lr 1.25e-4  16 images/s  took 20 s",
        ];
        Assert.Equal(expected, output.ToString().TrimEnd().Split(Environment.NewLine));
    }

    [Fact]
    public void LoopsWithoutALossSayNothingAboutIt()
    {
        using var output = new StringWriter();
        var clock = new ManualClock();
        var host = new VerbHost(output, TextWriter.Null, Interactive: false, CancellationToken.None);
        ProgressReporter.Run(host, "image", 0, 2, progress =>
        {
            clock.Advance(0.5);
            progress.Report(new ProgressStatus(1, double.NaN, double.NaN, 1));
            return 0;
        }, clock);
        Assert.Equal("image 1/2  2 images/s  ETA 0 s" + Environment.NewLine, output.ToString());
    }

    [Fact]
    public void ATerminalGetsABarAndTheMessagesAndTheLoopsError()
    {
        using var output = new StringWriter();
        var host = new VerbHost(output, TextWriter.Null, Interactive: true, CancellationToken.None);
        var error = Assert.Throws<InvalidOperationException>(() => ProgressReporter.Run<int>(host, "step [x]", 0, 2, progress =>
        {
            progress.Report(new ProgressStatus(1, 1, 1e-3, 1));
            progress.Message("a message [with brackets]");
            throw new InvalidOperationException("the loop's own");
        }));
        Assert.Equal("the loop's own", error.Message);
        Assert.Contains("a message [with brackets]", output.ToString());
    }

    // Two bars of one terminal; a second display of its own would throw.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void LoopsAtTheSameTimeShareTheTerminal(bool interactive)
    {
        using var output = new StringWriter();
        var host = new VerbHost(TextWriter.Synchronized(output), TextWriter.Null, interactive, CancellationToken.None);
        using var both = new Barrier(2);
        int[] sums = new int[2];
        ProgressReporter.Together(host, inner =>
            Jobs.Run(2, (i, _) => sums[i] = ProgressReporter.Run(inner, $"loop {i}", 0, 2, progress =>
            {
                Assert.True(both.SignalAndWait(TimeSpan.FromSeconds(30)));
                progress.Report(new ProgressStatus(1, double.NaN, double.NaN, 1));
                progress.Message($"[said by {i}]");
                Assert.True(both.SignalAndWait(TimeSpan.FromSeconds(30)));
                progress.Report(new ProgressStatus(2, double.NaN, double.NaN, 2));
                return 10 + i;
            }), TestContext.Current.CancellationToken));
        Assert.Equal([10, 11], sums);
        string text = output.ToString();
        Assert.Contains("[said by 0]", text);
        Assert.Contains("[said by 1]", text);
        Assert.Contains("loop 0 2/2", text);
        Assert.Contains("loop 1 2/2", text);
    }

    [Fact]
    public void TheErrorOfALoopAmongOthersIsThrown()
    {
        using var output = new StringWriter();
        var host = new VerbHost(output, TextWriter.Null, Interactive: true, CancellationToken.None);
        var error = Assert.Throws<InvalidOperationException>(() => ProgressReporter.Together(host, inner =>
            Jobs.Run(2, (i, cancellation) => ProgressReporter.Run<int>(inner, "loop", 0, 1, _ =>
            {
                cancellation.WaitHandle.WaitOne(i == 0 ? 30_000 : 0);
                cancellation.ThrowIfCancellationRequested();
                throw new InvalidOperationException("the second loop's own");
            }), TestContext.Current.CancellationToken)));
        Assert.Equal("the second loop's own", error.Message);
    }

    [Theory]
    [InlineData(0.4, "0 s")]
    [InlineData(59.6, "1 min 0 s")]
    [InlineData(725, "12 min 5 s")]
    [InlineData(4980, "1 h 23 min")]
    [InlineData(187200, "2 d 4 h")]
    public void SpansUseTheirTwoLargestUnits(double seconds, string text) => Assert.Equal(text, TimeText.Span(seconds));
}
