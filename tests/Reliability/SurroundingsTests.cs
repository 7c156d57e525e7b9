using System.Diagnostics;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Distributed;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Reliability;

/// <summary>The program itself where something around it is not as usual: its terminal, the folder that it is started in.</summary>
public sealed class SurroundingsTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("TERM=foot")]
    [InlineData("TERM=dumb")]
    [InlineData("-u TERM")]
    public async Task ATerminalThatIsNotKnownGetsLines(string variable)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "no script (Debian: bsdutils)");
        using var folder = new TempFolder();
        using Process script = Start(
            "script", "-qec", $"env {variable} {Program} demo --write-data {Quoted(folder.File("data"))} --pictures 2,1 --threads 1", "/dev/null");
        CancellationToken token = TestContext.Current.CancellationToken;
        string text = await script.StandardOutput.ReadToEndAsync(token).WaitAsync(s_limit, token);
        Assert.Matches(@"picture 3/3 .* took ", text);
        Assert.DoesNotContain('\u001b', text);
    }

    // The shell's folder may be gone, or one that another user may not enter.
    [Fact]
    public async Task TheServerNeedsNoFolderToStandIn()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "folders in use are not deleted here");
        using var folder = new TempFolder();
        string gone = Quoted(Directory.CreateDirectory(folder.File("gone")).FullName);
        using Process server = Start(
            "sh", "-c", $"cd {gone} && rmdir {gone} && exec {Program} serve --clip {Quoted(TinyClip.Folder)} --port 0 --threads 1");
        try
        {
            CancellationToken token = TestContext.Current.CancellationToken;
            string? line = await server.StandardOutput.ReadLineAsync(token).AsTask().WaitAsync(s_limit, token);
            Assert.Contains("(without training) at http://localhost:", line);
        }
        finally
        {
            server.Kill();
        }
    }

    // ulimit -f, as schedulers set it: the file that becomes too large is named, and nothing is left of it.
    [Fact]
    public async Task AFileThatMayNotGrowIsAnError()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "limits of a shell");
        using var folder = new TempFolder();
        string output = folder.File("f.safetensors"), texts = string.Join(' ', Enumerable.Range(0, 300).Select(i => $"--text {i}"));

        // The runtime itself writes a file of megabytes where pages are not both written and run.
        using Process limited = Start(
            "sh", "-c", $"ulimit -f 16; export DOTNET_EnableWriteXorExecute=0; {Program} embed --clip {Quoted(TinyClip.Folder)} {texts} "
                + $"--out {Quoted(output)} --threads 1 2>&1; echo $?");
        CancellationToken token = TestContext.Current.CancellationToken;
        string text = await limited.StandardOutput.ReadToEndAsync(token).WaitAsync(s_limit, token);
        Assert.StartsWith($"ldvc: {output}: cannot be written (File too large ", text, StringComparison.Ordinal);
        Assert.EndsWith(")\n2\n", text, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Root));
    }

    private static string Program =>
        $"{Quoted(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")} {Quoted(MpiLauncher.Beside("ldvc.dll"))}";

    // A word of a shell's command line: the repository may lie in a folder with blanks.
    private static string Quoted(string path) => $"'{path.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static Process Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardInput = true };
        Process process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }
}
