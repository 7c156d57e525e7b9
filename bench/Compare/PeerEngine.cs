using System.Diagnostics;
using Ldvc.Bench.Compare.Ours;

namespace Ldvc.Bench.Compare;

/// <summary>An engine that takes part: how to start it, or how to get it.</summary>
/// <param name="Name">As in <see cref="PeerCase.Engines"/>.</param>
/// <param name="Version">What was found.</param>
/// <param name="Missing">Why it cannot run and what to do; null when it can.</param>
/// <param name="Environment">Variables of the child process.</param>
internal sealed record PeerEngine(string Name, string Version, string? Missing, IReadOnlyDictionary<string, string> Environment)
{
    private static readonly Dictionary<string, string> None = [];
    private static readonly string[] Pythons = ["/usr/bin/python3", "python3"];

    private string _file = System.Environment.ProcessPath!;
    private string[] _first = [];

    internal (string File, string[] Arguments) Command(
        PeerCase @case, string folder, WorkDevice on) => Name is PeerCases.Torch or PeerCases.TorchCompile
        ? (_file, [.. _first, @case.Kind, folder, on.Threads.ToString(), on.Name, on.Precision.ToString().ToLowerInvariant(), Name,
            .. @case.Sizes.Select(s => $"{s.Key}={s.Value}")])
        : (_file, [.. _first, Name, @case.Name, folder, on.Threads.ToString(), on.Name, on.Precision.ToString()]);

    /// <summary>Searches for every engine.</summary>
    internal static IReadOnlyList<PeerEngine> Find(WorkDevice on)
    {
        // Started as `dotnet Ldvc.Bench.dll`, this process is dotnet and needs to be told so again.
        bool hosted = Path.GetFileNameWithoutExtension(System.Environment.ProcessPath) == "dotnet";
        string[] self = hosted ? [typeof(PeerEngine).Assembly.Location, "peer-worker"] : ["peer-worker"];
        var torch = PyTorch(on);
        return
        [
            new PeerEngine(PeerCases.Ours, "this repository", null, None) { _first = self },
            new PeerEngine(PeerCases.Graph, "this repository, a step as one CUDA graph", null, None) { _first = self },
            new PeerEngine(PeerCases.Encoder, "this repository, encoder alone", null, None) { _first = self },
            new PeerEngine(PeerCases.Peak, "fused multiply-adds on registers", null, None) { _first = self },
            new PeerEngine(PeerCases.Onnx, "Microsoft.ML.OnnxRuntime 1.31.0", null, None) { _first = self },
            torch,
            torch with
            {
                Name = PeerCases.TorchCompile,
                Version = torch.Version + ", torch.compile",
                Missing = torch.Missing ?? (torch.Version.StartsWith("PyTorch 1.", StringComparison.Ordinal)
                    ? "torch.compile needs PyTorch 2" : null),
            },
            new PeerEngine(PeerCases.Libtorch, "libtorch-cpu-linux-x64 2.10.0", Libtorch.Native.Problem(), None) { _first = self },
        ];
    }

    private static PeerEngine PyTorch(WorkDevice on)
    {
        const string how = "needs Debian's packages python3-torch and libopenblas0-openmp (apt install); without the second it runs on the reference "
            + "BLAS";
        string script = Path.Combine(AppContext.BaseDirectory, "peers", "peer.py");
        string variable = System.Environment.GetEnvironmentVariable("LDVC_PYTHON") ?? string.Empty;
        foreach (string python in variable.Length > 0 ? [variable] : Pythons)
        {
            string found = Ask(python, script, "--version", on.Name);
            if (found.Length > 0)
            {
                // Debian's alternatives decide which BLAS libblas.so.3 is; the script names the one that was loaded.
                bool reference = on.Name == "cpu" && found.Contains("reference", StringComparison.Ordinal);
                return new PeerEngine(PeerCases.Torch, found, reference ? how : null, None) { _file = python, _first = [script] };
            }
        }

        return new PeerEngine(PeerCases.Torch, "not found", how, None);
    }

    private static string Ask(string file, params string[] arguments)
    {
        try
        {
            var info = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
            info.Environment.Remove("OPENBLAS_CORETYPE");
            using var process = Process.Start(info)!;
            string output = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            return process.ExitCode == 0 ? output : string.Empty;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return string.Empty;
        }
    }
}
