using Ldvc.App.Cli;
using Ldvc.App.Terminal;
using Ldvc.Lab.Ablation;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Ablation;

public sealed class JobsTests
{
    [Fact]
    public void TheFailureOfOneStopsTheOthersAndIsWhatIsThrown()
    {
        using var started = new ManualResetEventSlim();
        bool stopped = false;
        var error = Assert.Throws<InputException>(() => Jobs.Run(2, (job, cancellation) =>
        {
            if (job == 1)
            {
                started.Wait(TestContext.Current.CancellationToken);
                throw new InputException("a bad picture");
            }

            started.Set();
            stopped = cancellation.WaitHandle.WaitOne(TimeSpan.FromMinutes(1));
            cancellation.ThrowIfCancellationRequested();
        }, TestContext.Current.CancellationToken));
        Assert.Equal("a bad picture", error.Message);
        Assert.True(stopped);
    }

    [Fact]
    public void AloneItRunsInTheCallersThreadUnderTheCallersToken()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        int thread = 0;
        Jobs.Run(1, (_, own) => thread = own == token ? Environment.CurrentManagedThreadId : 0, token);
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
