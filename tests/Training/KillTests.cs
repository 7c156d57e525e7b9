using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Ldvc.Tests.Data;
using Xunit;

namespace Ldvc.Tests.Training;

/// <summary>The built program as a process of its own, ended from outside.</summary>
public sealed partial class KillTests
{
    private const int Kills = 20;
    private const int Steps = 300;

    // Steps of a few milliseconds, a checkpoint after each: most kills fall into a write.
    private static readonly string[] Quick =
    [
        $"train.iterations={Steps}", "train.batch=1", "train.checkpoint_every=1", "train.keep=2", "augment.crop=32", "augment.scale=[64,40]",
            "model.prompts.vision=2",
        "model.decoder.layers=1", "eval.limit=1",
    ];

    [Fact]
    public void KilledTwentyTimesAtRandomARunEndsWithTheWeightsOfOneThatWasNot()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data);
        SmallRun.Train(config, data.At("whole"), [.. Quick, "train.checkpoint_every=100000"]);
        float[] expected = RunFiles.Tensors(SmallRun.Checkpoint(data.At("whole"), Steps));

        var random = new Random(20);
        int kills = 0, run = 0;
        while (kills < Kills)
        {
            // A run that ends before its next kill is compared, and another one begun.
            string folder = data.At($"run{run++}");
            while (true)
            {
                using var child = new Child(SmallRun.Arguments(config, folder, [.. Quick, "--resume"]));

                // Some die while they are starting, most somewhere in the training.
                int delay = kills % 4 == 3 ? random.Next(600) : 0;
                bool ended = delay > 0 ? child.WaitForExit(delay) : !child.WaitForLine("inductive training") || child.WaitForExit(random.Next(300));
                if (ended || kills == Kills)
                {
                    Assert.Equal(0, child.End());
                    break;
                }

                child.Kill();
                kills++;
                int[] steps = RunFiles.AssertReadable(folder);
                Assert.True(steps.Length <= 4, string.Join(' ', steps));
            }

            Assert.Equal(expected, RunFiles.Tensors(SmallRun.Checkpoint(folder, Steps)));
            Assert.Empty(Directory.GetFiles(folder, "*.tmp", SearchOption.AllDirectories));
            Assert.Equal(Steps + 1, File.ReadLines(Path.Combine(folder, "metrics.jsonl")).Count());
        }
    }

    [Theory]
    [InlineData(2)]     // SIGINT: Ctrl-C
    [InlineData(15)]    // SIGTERM
    [InlineData(1)]     // SIGHUP: the terminal is closed
    [InlineData(10)]    // SIGUSR1 on Linux
    public void ASignalSavesAndLeaves(int signal)
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // Other signals there; ResumeTests interrupts runs everywhere.
        }

        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run");
        StopIgnoring(signal);
        using var child = new Child(SmallRun.Arguments(config, run, [.. Quick, "train.checkpoint_every=100000", "train.iterations=100000"]));
        Assert.True(child.WaitForLine("step 1/100000"));
        Assert.Equal(0, Send(child.Id, signal));
        Assert.Equal(130, child.End());
        int step = Assert.Single(RunFiles.AssertReadable(run));
        Assert.InRange(step, 1, 99999);
        Assert.Contains($"stopped after step {step} of 100000; saved as {SmallRun.Checkpoint(run, step)}", child.Output);
        Assert.Contains("ldvc: stopping after this step", child.Errors);
    }

    // As `nohup` does it.
    [Fact]
    public void WhoIgnoresTheEndOfTheTerminalGoesOn()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        const int hangUp = 1, terminate = 15, ignore = 1;
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run");
        StopIgnoring(terminate);
        nint before = SetHandler(hangUp, ignore);
        using var child = new Child(SmallRun.Arguments(config, run, [.. Quick, "train.checkpoint_every=100000", "train.iterations=100000"]));
        _ = SetHandler(hangUp, before);
        Assert.True(child.WaitForLine("step 1/100000"));
        Assert.Equal(0, Send(child.Id, hangUp));
        int reached = LastStep(child);
        Assert.True(SpinWait.SpinUntil(() => LastStep(child) > reached + 3, TimeSpan.FromMinutes(1)));
        Assert.Equal(0, Send(child.Id, terminate));
        Assert.Equal(130, child.End());
        Assert.Single(RunFiles.AssertReadable(run));
    }

    private static int LastStep(Child child) => Regex.Matches(child.Output, @"step (\d+)/").Select(match => int.Parse(
        match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)).DefaultIfEmpty().Max();

    // A shell that starts its jobs in the background has them ignore SIGINT, and what a process ignores, its children ignore.
    private static void StopIgnoring(int signal)
    {
        const string status = "/proc/self/status", field = "SigIgn:";
        if (File.Exists(status) && File.ReadLines(status).FirstOrDefault(line => line.StartsWith(field, StringComparison.Ordinal)) is { } line
            && (Convert.ToUInt64(line[field.Length..].Trim(), 16) >> (signal - 1) & 1) == 1)
        {
            _ = SetHandler(signal, 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int process, int signal);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);

    // `ldvc` with its output read line by line.
    private sealed class Child : IDisposable
    {
        private readonly Process _process;
        private readonly List<string> _lines = [];
        private readonly List<string> _errors = [];
        private bool _closed;

        public Child(string[] arguments)
        {
            string host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
            var start = new ProcessStartInfo(host) { RedirectStandardOutput = true, RedirectStandardError = true };
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "ldvc.dll"));
            foreach (string argument in arguments)
            {
                start.ArgumentList.Add(argument);
            }

            _process = new Process { StartInfo = start };
            _process.OutputDataReceived += (_, line) => Take(_lines, line.Data);
            _process.ErrorDataReceived += (_, line) => Take(_errors, line.Data);
            _process.Start();
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
        }

        public int Id => _process.Id;

        public string Output => Text(_lines);

        public string Errors => Text(_errors);

        public bool WaitForExit(int milliseconds) => _process.WaitForExit(milliseconds);

        /// <summary>Whether a line with this beginning came; false when the output ended before.</summary>
        public bool WaitForLine(string start)
        {
            lock (_lines)
            {
                while (!_lines.Exists(line => line.StartsWith(start, StringComparison.Ordinal)))
                {
                    if (_closed || !Monitor.Wait(_lines, TimeSpan.FromMinutes(2)))
                    {
                        return false;
                    }
                }

                return true;
            }
        }

        public void Kill()
        {
            _process.Kill();
            _process.WaitForExit();
        }

        /// <summary>Waits for the end; the exit code.</summary>
        public int End()
        {
            Assert.True(_process.WaitForExit(TimeSpan.FromMinutes(3)), Output);
            _process.WaitForExit();
            return _process.ExitCode;
        }

        public void Dispose()
        {
            if (!_process.HasExited)
            {
                Kill();
            }

            _process.Dispose();
        }

        private void Take(List<string> lines, string? line)
        {
            lock (_lines)
            {
                if (line is not null)
                {
                    lines.Add(line);
                }
                else if (lines == _lines)
                {
                    _closed = true;
                }

                Monitor.PulseAll(_lines);
            }
        }

        private string Text(List<string> lines)
        {
            lock (_lines)
            {
                return string.Join('\n', lines);
            }
        }
    }
}
