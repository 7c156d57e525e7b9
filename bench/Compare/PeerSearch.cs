using System.Diagnostics;
using Ldvc.Bench.Compare.Ours;

namespace Ldvc.Bench.Compare;

/// <summary>Which engines there are, and how to get those that are not.</summary>
internal static class PeerSearch
{
    private static readonly Dictionary<string, string> None = [];
    private static readonly string[] Pythons = ["/usr/bin/python3", "python3"];

    /// <summary>Searches for every engine.</summary>
    internal static IReadOnlyList<PeerEngine> Find(WorkDevice on)
    {
        // Started as `dotnet Ldvc.Bench.dll`, this process is dotnet and needs to be told so again.
        bool hosted = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet";
        string[] self = hosted ? [typeof(PeerSearch).Assembly.Location, "peer-worker"] : ["peer-worker"];
        var torch = PyTorch(on);
        return
        [
            new PeerEngine(PeerCases.Ours, "this repository", null, None) { First = self },
            new PeerEngine(PeerCases.Graph, "this repository, a step as one CUDA graph", null, None) { First = self },
            new PeerEngine(PeerCases.Encoder, "this repository, encoder alone", null, None) { First = self },
            new PeerEngine(PeerCases.Peak, "fused multiply-adds on registers", null, None) { First = self },
            new PeerEngine(PeerCases.Onnx, "Microsoft.ML.OnnxRuntime 1.31.0", null, None) { First = self },
            torch,
            torch with
            {
                Name = PeerCases.TorchCompile,
                Version = torch.Version + ", torch.compile",
                Missing = torch.Missing ?? (torch.Version.StartsWith("PyTorch 1.", StringComparison.Ordinal)
                    ? "torch.compile needs PyTorch 2" : null),
            },
            new PeerEngine(PeerCases.Libtorch, "libtorch-cpu-linux-x64 2.10.0", Libtorch.Native.Problem(), None) { First = self },
        ];
    }

    private static PeerEngine PyTorch(WorkDevice on)
    {
        string how = on.Name == "cpu"
            ? "needs Debian's packages python3-torch and libopenblas0-openmp (apt install); without the second it runs on the reference BLAS"
            : "needs PyTorch with CUDA; LDVC_PYTHON names the Python that has it";
        string script = Path.Combine(AppContext.BaseDirectory, "peers", "peer.py");
        string variable = Environment.GetEnvironmentVariable("LDVC_PYTHON") ?? string.Empty;
        foreach (string python in variable.Length > 0 ? [variable] : Pythons)
        {
            string found = Ask(python, script, "--version", on.Name);
            if (found.Length > 0)
            {
                // Debian's alternatives decide which BLAS libblas.so.3 is; the script names the one that was loaded.
                bool reference = on.Name == "cpu" && found.Contains("reference", StringComparison.Ordinal);
                return new PeerEngine(PeerCases.Torch, found, reference ? how : null, None) { File = python, First = [script] };
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
