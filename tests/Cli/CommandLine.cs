using Ldvc.App.Cli;
using Xunit;

namespace Ldvc.Tests.Cli;

/// <summary>Runs the program in this process.</summary>
internal static class CommandLine
{
    public static (int Code, string Out, string Error) Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = Application.Run(args, output, error);
        return (code, output.ToString(), error.ToString());
    }

    /// <summary>
    /// The command line must be refused: exit code 2, nothing on standard output, exactly one line on standard error, which is returned.
    /// </summary>
    public static string Refuses(params string[] args)
    {
        (int code, string output, string error) = Run(args);
        Assert.Equal((2, ""), (code, output));
        Assert.StartsWith("ldvc: ", error);
        Assert.EndsWith(Environment.NewLine, error);
        string line = error[..^Environment.NewLine.Length];
        Assert.DoesNotContain('\n', line);
        return line;
    }
}
