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

    // Where a path begins: at the start, or behind what stands before it in KEY=VALUE, KEY=[A, B] and {KEY: VALUE}. Within another path the same
    // names are another place.
    private static string Relative(string argument, string here)
    {
        string folder = Path.TrimEndingDirectorySeparator(here) + Path.DirectorySeparatorChar;
        int at = argument.IndexOf(folder, StringComparison.Ordinal);
        while (at >= 0)
        {
            bool begins = at == 0 || " =[{,:\"'".Contains(argument[at - 1], StringComparison.Ordinal);
            argument = begins ? argument.Remove(at, folder.Length) : argument;
            at = argument.IndexOf(folder, begins ? at : at + 1, StringComparison.Ordinal);
        }

        return argument;
    }

    // As a POSIX shell reads it back: within double quotes four signs keep their meaning, and are taken out of it.
    private static string Quoted(string argument)
    {
        if (argument.Length > 0 && argument.All(c => char.IsAsciiLetterOrDigit(c) || "-_=.,/:[]+@%~".Contains(c, StringComparison.Ordinal)))
        {
            return argument;
        }

        string escaped = string.Concat(argument.Select(c => "\"\\$`".Contains(c, StringComparison.Ordinal) ? $"\\{c}" : $"{c}"));
        return $"\"{escaped}\"";
    }
}
