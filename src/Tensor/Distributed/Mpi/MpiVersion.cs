using System.Text.RegularExpressions;

namespace Ldvc.Tensors.Distributed.Mpi;

/// <summary>Reads what MPI_Get_library_version says, which every library words differently.</summary>
internal static partial class MpiVersion
{
    /// <summary>"Open MPI 4.1.4", "MPICH 4.0.2", "Intel(R) MPI Library 2021.17": the name and the number of its first line.</summary>
    internal static string Shorten(string text)
    {
        string line = text.Split('\n', '\0')[0].Split(',')[0];
        Match match = Named().Match(line);
        return match.Success ? $"{Blanks().Replace(match.Groups[1].Value.Trim(), " ")} {match.Groups[2].Value}" : Blanks().Replace(line, " ").Trim();
    }

    /// <summary>Whose launcher starts it; null when it is none of those known.</summary>
    internal static MpiFamily? FamilyOf(string version)
    {
        if (version.Contains("Open MPI", StringComparison.OrdinalIgnoreCase))
        {
            return MpiFamily.OpenMpi;
        }

        string[] descendants = ["MPICH", "MVAPICH", "Intel"];
        return Array.Exists(descendants, name => version.Contains(name, StringComparison.OrdinalIgnoreCase)) ? MpiFamily.Mpich : null;
    }

    // A name; "version", a colon or a v, which are left out; a number with dots.
    [GeneratedRegex(@"^(.*?)\s*(?:\bversion\b)?\s*:?\s*\bv?(\d+(?:\.\d+)+\w*)", RegexOptions.IgnoreCase)]
    private static partial Regex Named();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
