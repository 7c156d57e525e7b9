using System.Diagnostics;
using Xunit;

namespace Ldvc.Tests.Distributed;

/// <summary>Libraries that stand in for others, made by gcc from tests/data.</summary>
internal static class StandInLibrary
{
    /// <summary>Compiles one; skips the test where there is no gcc.</summary>
    /// <param name="name">Its folder below tests/data.</param>
    /// <param name="file">The library.</param>
    /// <param name="source">The source in that folder.</param>
    /// <param name="options">More options of gcc.</param>
    internal static void Build(string name, string file, string source = "standin.c", params string[] options)
    {
        string path = Path.Combine(AppContext.BaseDirectory, "data", name, source);
        var start = new ProcessStartInfo("gcc", ["-shared", "-fPIC", "-O1", "-pthread", .. options, "-o", file, path])
        {
            RedirectStandardError = true,
        };
        try
        {
            using Process compiler = Process.Start(start)!;
            string errors = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            Assert.True(compiler.ExitCode == 0, errors);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip($"no gcc, which makes the library that stands in for {name} (Debian: gcc, libc6-dev)");
        }
    }
}
