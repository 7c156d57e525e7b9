using System.Diagnostics;
using System.Runtime.InteropServices;
using Ldvc.Tensors.Distributed.Mpi;
using Xunit;

namespace Ldvc.Tests.Distributed;

/// <summary>Starts several processes with the launcher of one MPI library, as Debian installs it beside the other.</summary>
/// <param name="Family">Whose it is.</param>
internal sealed record MpiLauncher(MpiFamily Family)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    /// <summary>Both.</summary>
    internal static MpiLauncher[] All { get; } = [new(MpiFamily.OpenMpi), new(MpiFamily.Mpich)];

    /// <summary>The program.</summary>
    internal string Program => Family == MpiFamily.OpenMpi ? "mpirun.openmpi" : "mpirun.mpich";

    /// <summary>The library of its processes.</summary>
    internal string Library => Family == MpiFamily.OpenMpi ? "libmpi.so.40" : "libmpich.so.12";

    /// <summary>A file beside the tests.</summary>
    internal static string Beside(string name) => Path.Combine(AppContext.BaseDirectory, name);

    /// <summary>Skips the test, and says why, where the launcher or its library is not installed.</summary>
    internal void Need()
    {
        string package = Family == MpiFamily.OpenMpi ? "openmpi-bin" : "mpich";
        bool program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(
            folder => File.Exists(Path.Combine(folder, Program)));
        Assert.SkipUnless(program, $"no {Program} (Debian: {package})");
        Assert.SkipUnless(NativeLibrary.TryLoad(Library, out _), $"no {Library} (Debian: {package})");
    }

    /// <summary>Runs a .NET program of the tests' folder as several processes, and waits for them.</summary>
    /// <param name="processes">How many.</param>
    /// <param name="variables">"NAME=VALUE" for their environment.</param>
    /// <param name="arguments">The program's file and its arguments.</param>
    internal (int Code, string Out, string Error, TimeSpan Time) Run(int processes, string[] variables, params string[] arguments)
    {
        string host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        var start = new ProcessStartInfo(Program) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in (string[])[.. Options(), "-n", $"{processes}", host, Beside(arguments[0]), .. arguments[1..]])
        {
            start.ArgumentList.Add(argument);
        }

        foreach (string variable in (string[])[.. Defaults(), .. variables])
        {
            string[] parts = variable.Split('=', 2);
            start.Environment[parts[0]] = parts[1];
        }

        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(s_limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{Program} -n {processes} {string.Join(' ', arguments)} did not end within {s_limit.TotalSeconds} s:\n{error.Result}");
        }

        return (process.ExitCode, output.Result, error.Result, clock.Elapsed);
    }

    // More processes than cores are welcome here.
    private string[] Options() => Family == MpiFamily.OpenMpi ? ["--oversubscribe", "--bind-to", "none"] : [];

    // Open MPI refuses root and wants to know whether it may read other processes' memory, which containers forbid.
    private string[] Defaults() => Family == MpiFamily.OpenMpi
        ? ["OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "OMPI_MCA_btl_vader_single_copy_mechanism=none",
            "OMPI_MCA_rmaps_base_oversubscribe=1"]
        : [];
}
