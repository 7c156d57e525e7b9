using System.Diagnostics;
using System.Text;

namespace Ldvc.Bench.Reliability;

/// <summary>The built program as a process of its own.</summary>
internal sealed class KillChild : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _errors = new();

    internal KillChild(string[] arguments)
    {
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "ldvc.dll"));
        Array.ForEach(arguments, start.ArgumentList.Add);
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors)
            {
                _errors.AppendLine(line.Data);
            }
        };
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>What it said on the error stream.</summary>
    internal string Errors
    {
        get
        {
            lock (_errors)
            {
                return _errors.ToString().Trim();
            }
        }
    }

    internal bool WaitForExit(TimeSpan time) => _process.WaitForExit(time);

    /// <summary>Ends it without a chance to do anything.</summary>
    internal void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Waits for its end; the exit code.</summary>
    internal int End(TimeSpan most)
    {
        if (!_process.WaitForExit(most))
        {
            Kill();
        }

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
}
