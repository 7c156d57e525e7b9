using System.ComponentModel;
using System.Diagnostics;

namespace Ldvc.Lab.Evidence;

/// <summary>The sources that a program was built from, where they lie above it.</summary>
internal static class SourceTree
{
    // What a program is made of; pages, tests and results may differ from the commit.
    private static readonly string[] Sources = ["src", "Directory.Build.props", "Directory.Packages.props"];

    private const int PatienceMilliseconds = 20_000;

    /// <summary>The nearest folder at or above a place that holds an entry of this name; null when none does.</summary>
    internal static string? Above(string place, string entry)
    {
        for (string? folder = Path.GetFullPath(place); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Path.Exists(Path.Combine(folder, entry)))
            {
                return folder;
            }
        }

        return null;
    }

    /// <summary>
    /// Whether the sources are other than a commit's. Null where that cannot be told: no repository, no git, or a commit that it does not have.
    /// </summary>
    /// <param name="place">A folder of the repository.</param>
    /// <param name="commit">The commit.</param>
    internal static bool? Differs(string place, string? commit)
    {
        if (commit is null || Above(place, ".git") is not { } root)
        {
            return null;
        }

        string[] known = [.. Sources.Where(source => Path.Exists(Path.Combine(root, source)))];
        (int code, _) = Git(root, ["diff", "--quiet", commit, "--", .. known]);
        if (code is not (0 or 1))
        {
            return null;
        }

        (int status, string untracked) = Git(root, ["ls-files", "--others", "--exclude-standard", "--", .. known]);
        return status != 0 ? null : code == 1 || untracked.Length > 0;
    }

    private static (int Code, string Output) Git(string root, string[] arguments)
    {
        try
        {
            // Nothing is refreshed or locked in somebody's repository.
            using Process process = Process.Start(new ProcessStartInfo("git", ["-C", root, "--no-optional-locks", .. arguments])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(PatienceMilliseconds))
            {
                process.Kill();
                return (-1, "");
            }

            Task.WaitAll(output, error);
            return (process.ExitCode, output.Result.Trim());
        }
        catch (Win32Exception)
        {
            return (-1, "");
        }
    }
}
