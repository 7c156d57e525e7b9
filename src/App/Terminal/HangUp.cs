namespace Ldvc.App.Terminal;

/// <summary>What a terminal sends when it is closed.</summary>
internal static class HangUp
{
    private const string Status = "/proc/self/status";
    private const string Ignored = "SigIgn:";

    /// <summary>
    /// Whether it is to stop the program: not where who started it has it ignored, as `nohup` does, which a handler of our own would undo. Linux
    /// tells.
    /// </summary>
    internal static bool Counts()
    {
        try
        {
            return OperatingSystem.IsLinux()
                && File.ReadLines(Status).FirstOrDefault(line => line.StartsWith(Ignored, StringComparison.Ordinal)) is { } line
                && ulong.TryParse(
                    line.AsSpan(Ignored.Length).Trim(),
                    System.Globalization.NumberStyles.AllowHexSpecifier,
                    System.Globalization.CultureInfo.InvariantCulture,
                    out ulong signals)
                && (signals & 1) == 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
