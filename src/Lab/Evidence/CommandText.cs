using System.Text.Json;

namespace Ldvc.Lab.Evidence;

/// <summary>A command line as it is kept: what was measured, and not where the results went.</summary>
internal static class CommandText
{
    // They say where results go, and change none.
    private static readonly string[] Places = ["--out", "--json", "--report", "--record"];

    /// <summary>The command line.</summary>
    /// <param name="program">What is typed before the arguments.</param>
    /// <param name="arguments">The arguments.</param>
    /// <param name="here">The folder it is typed in: paths below it are written as from there.</param>
    internal static string Of(string program, IEnumerable<string> arguments, string here)
    {
        var kept = new List<string> { program };
        bool skip = false;
        foreach (string argument in arguments)
        {
            if (skip)
            {
                skip = false;
            }
            else if (Places.Contains(argument))
            {
                skip = true;
            }
            else if (!Places.Any(place => argument.StartsWith(place + "=", StringComparison.Ordinal)))
            {
                kept.Add(Quoted(Relative(argument, here)));
            }
        }

        return string.Join(' ', kept);
    }

    private static string Relative(string argument, string here) =>
        argument.Replace(Path.TrimEndingDirectorySeparator(here) + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);

    private static string Quoted(string argument) =>
        argument.Length > 0 && argument.All(c => char.IsAsciiLetterOrDigit(c) || "-_=.,/:[]+@%~".Contains(c, StringComparison.Ordinal))
            ? argument
            : JsonSerializer.Serialize(argument);
}
