using System.Reflection;
using System.Runtime.InteropServices;
using Ldvc.Kernels.Simd;

namespace Ldvc.Lab.Evidence;

/// <summary>Which program measured something, and where.</summary>
/// <param name="Version">The program's version.</param>
/// <param name="Commit">The commit that its build was made at; null when it was built outside of a repository.</param>
/// <param name="Dirty">Whether its sources were other than the commit's; null when that cannot be told.</param>
/// <param name="Bits">What its arithmetic is called (<see cref="BitsHistory"/>).</param>
/// <param name="VectorBits">Width of the CPU kernels' vectors.</param>
/// <param name="Machine">The machine.</param>
internal sealed record Origin(string Version, string? Commit, bool? Dirty, string Bits, int VectorBits, Machine Machine)
{
    private static readonly Lazy<(string Version, string? Commit, bool? Dirty)> Build = new(ReadBuild);

    /// <summary>This program, here and now.</summary>
    internal static Origin Here => new(Build.Value.Version, Build.Value.Commit, Build.Value.Dirty, OwnBits, SimdLevel.Bits, Machine.Here);

    // What has last digits of its own goes together with nothing that was computed elsewhere: emulated vectors of 512 bits, other processors and
    // systems than the recorded ones.
    private static string OwnBits => BitsHistory.Own.Id
        + (BitsHistory.IsEmulated(SimdLevel.Bits) ? "-without-avx-512" : "")
        + (BitsHistory.IsOfThisPlatform ? "" : "-" + RuntimeInformation.RuntimeIdentifier);

    /// <summary>
    /// Looks at the sources now: at the end of hours, whoever works on them meanwhile would have made the program another one than it was.
    /// </summary>
    internal static void Note() => _ = Build.Value;

    /// <summary>"5b881c4", "5b881c4 with changes", "version 0.2.0".</summary>
    internal string ProgramText => Commit is null
        ? $"version {Version}"
        : $"commit {Commit[..Math.Min(7, Commit.Length)]}{(Dirty == true ? " with changes" : "")}";

    // The build writes VERSION+COMMIT into every assembly; no program has to be started for it.
    private static (string Version, string? Commit, bool? Dirty) ReadBuild()
    {
        string text = typeof(Origin).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        string[] parts = text.Split('+', 2);
        string? commit = parts.Length == 2 && parts[1].Length > 0 ? parts[1] : null;
        return (parts[0], commit, SourceTree.Differs(AppContext.BaseDirectory, commit));
    }
}
