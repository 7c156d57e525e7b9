using System.Diagnostics;
using System.Text.Json.Nodes;
using Ldvc.Bench.Compare.Ours;
using MathNet.Numerics.Statistics;

namespace Ldvc.Bench.Compare;

/// <summary>A child process that runs one engine's work; see <see cref="Worker"/>.</summary>
internal sealed class PeerProcess : IDisposable
{
    private readonly Process _process;

    private PeerProcess(string engine, Process process)
    {
        Engine = engine;
        _process = process;
    }

    internal string Engine { get; }

    /// <summary>Seconds of the last warm-up run.</summary>
    internal double Seconds { get; private set; }

    internal List<double> Times { get; } = [];

    /// <summary>Median of each round, for the interleaved ratios.</summary>
    internal List<double> Rounds { get; } = [];

    /// <summary>Starts an engine and waits until it has written its outputs and warmed up.</summary>
    /// <exception cref="PeerEndedException">It ended before.</exception>
    internal static PeerProcess Start(PeerEngine engine, PeerCase @case, string folder, WorkDevice on)
    {
        var (file, arguments) = engine.Command(@case, folder, on);
        var info = new ProcessStartInfo(file, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };

        // OpenBLAS chooses its kernels by the machine, and no engine gets more threads than it was told to use.
        info.Environment.Remove("OPENBLAS_CORETYPE");
        info.Environment.Remove("OPENBLAS_L2_SIZE");
        info.Environment.Remove("OPENBLAS_NUM_THREADS");
        info.Environment["OMP_NUM_THREADS"] = on.Threads.ToString();
        info.Environment["MKL_NUM_THREADS"] = on.Threads.ToString();
        foreach (var (name, value) in engine.Environment)
        {
            info.Environment[name] = value;
        }

        var process = new PeerProcess(engine.Name, Process.Start(info)!);
        try
        {
            process.Seconds = (double)process.Listen()["seconds"]!;
            return process;
        }
        catch
        {
            process.Dispose();
            throw;
        }
    }

    /// <summary>One turn: so many runs.</summary>
    /// <exception cref="PeerEndedException">The process ended.</exception>
    internal PeerProcess Turn(int runs)
    {
        // Time for the spinning threads of the engine that ran before to go to sleep.
        Thread.Sleep(50);
        Tell($"run {runs}");
        var times = Listen()["times"]!.AsArray().Select(t => (double)t!).ToList();
        Times.AddRange(times);
        Rounds.Add(times.Median());
        return this;
    }

    /// <summary>Ends the process and returns its memory and allocation counts.</summary>
    /// <exception cref="PeerEndedException">It ended without a word.</exception>
    internal JsonObject End()
    {
        Tell("end");
        var result = Listen();
        _process.WaitForExit();
        return result;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    // What a process that has ended is told is lost; that it has ended is seen when its answer is read.
    private void Tell(string line)
    {
        try
        {
            _process.StandardInput.WriteLine(line);
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
        }
    }

    // Libraries may print to standard output; messages are the lines that are JSON objects.
    private JsonObject Listen()
    {
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            if (line.StartsWith('{'))
            {
                return JsonNode.Parse(line)!.AsObject();
            }
        }

        throw new PeerEndedException();
    }
}
