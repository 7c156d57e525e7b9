using System.Diagnostics;
using System.Text.RegularExpressions;
using Ldvc.Tensors;

namespace Ldvc.Bench.Load;

/// <summary>An `ldvc serve` in a process of its own, on a free port, with a token.</summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task _reading;

    private ServerProcess(Process process, int port, string token, Task reading) =>
        (_process, Port, Token, _reading) = (process, port, token, reading);

    /// <summary>Where it listens on this machine.</summary>
    internal int Port { get; }

    /// <summary>What requests have to know.</summary>
    internal string Token { get; }

    /// <summary>Memory of the process.</summary>
    internal double ResidentMebibytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / 1048576.0;
        }
    }

    /// <summary>Starts one and waits until it listens.</summary>
    /// <exception cref="InputException">It ends before it listens.</exception>
    internal static async Task<ServerProcess> StartAsync(string clip, int threads, CancellationToken cancellation)
    {
        string token = Guid.NewGuid().ToString("N");
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        foreach (string argument in (string[])["exec", Path.Combine(AppContext.BaseDirectory, "ldvc.dll"), "serve", "--clip", clip, "--port", "0",
            "--threads", $"{threads}"])
        {
            start.ArgumentList.Add(argument);
        }

        // Started as its own executable, this program is not the one that runs assemblies.
        if (Path.GetFileNameWithoutExtension(start.FileName) != "dotnet")
        {
            start.FileName = "dotnet";
        }

        start.Environment["LDVC_TOKEN"] = token;
        Process process = Process.Start(start) ?? throw new InputException("ldvc serve: cannot be started");
        while (await process.StandardOutput.ReadLineAsync(cancellation).ConfigureAwait(false) is { } line)
        {
            if (Listening().Match(line) is { Success: true } match)
            {
                // Its log is read to the end, so that it never waits for a reader.
                return new ServerProcess(
                    process, int.Parse(match.Groups[1].Value), token, process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, cancellation));
            }
        }

        throw new InputException("ldvc serve: ended before it listened");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().ConfigureAwait(false);
        await Task.WhenAny(_reading, Task.Delay(1000)).ConfigureAwait(false);
        _process.Dispose();
    }

    [GeneratedRegex(@" at http://localhost:(\d+) - Ctrl-C stops")]
    private static partial Regex Listening();
}
