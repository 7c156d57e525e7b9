using Ldvc.Ablation;
using Ldvc.Cli;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Ablation;

public sealed class JobsTests
{
    [Fact]
    public void TheFailureOfOneStopsTheOthersAndIsWhatIsThrown()
    {
        using var output = new StringWriter();
        using var started = new ManualResetEventSlim();
        bool stopped = false;
        var host = new VerbHost(output, output, Interactive: true, CancellationToken.None);
        var error = Assert.Throws<InputException>(() => Jobs.Run(2, host, (job, shared) =>
        {
            Assert.False(shared.Interactive);
            if (job == 1)
            {
                started.Wait(TestContext.Current.CancellationToken);
                throw new InputException("a bad picture");
            }

            started.Set();
            stopped = shared.Cancellation.WaitHandle.WaitOne(TimeSpan.FromMinutes(1));
            shared.Cancellation.ThrowIfCancellationRequested();
        }));
        Assert.Equal("a bad picture", error.Message);
        Assert.True(stopped);
    }

    [Fact]
    public void AloneItRunsInTheCallersThreadAndHost()
    {
        using var output = new StringWriter();
        var host = new VerbHost(output, output, Interactive: true, CancellationToken.None);
        int thread = 0;
        Jobs.Run(1, host, (_, own) => thread = ReferenceEquals(host, own) ? Environment.CurrentManagedThreadId : 0);
        Assert.Equal(Environment.CurrentManagedThreadId, thread);
    }

    [Fact]
    public async Task LinesOfSeveralWritersStayWhole()
    {
        using var output = new StringWriter();
        Task[] writers =
        [
            .. Enumerable.Range(0, 3).Select(i => Task.Run(
                () =>
                {
                    using var writer = LineWriter.Marked(output, $"[{i}] ");
                    for (int line = 0; line < 200; line++)
                    {
                        writer.Write("a line ");
                        writer.WriteLine(i);
                    }
                },
                TestContext.Current.CancellationToken)),
        ];
        await Task.WhenAll(writers);
        string[] lines = output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(600, lines.Length);
        Assert.All(Enumerable.Range(0, 3), i => Assert.Equal(200, lines.Count(line => line == $"[{i}] a line {i}")));
    }
}
