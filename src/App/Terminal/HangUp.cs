using System.Globalization;
using System.Text;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.App.Terminal;

/// <summary>What a terminal sends when it is closed.</summary>
internal static class HangUp
{
    private const string Status = "/proc/self/status";
    private const string Ignored = "SigIgn:";
    private const int LargestStatus = 1 << 16;

    /// <summary>
    /// Whether it is to stop the program: not where who started it has it ignored, as `nohup` does, which a handler of our own would undo. Linux
    /// tells.
    /// </summary>
    internal static bool Counts()
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            string[] lines = Encoding.UTF8.GetString(PlainFile.ReadAll(Status, LargestStatus)).Split('\n');
            string? line = Array.Find(lines, one => one.StartsWith(Ignored, StringComparison.Ordinal));
            return line is not null
                && ulong.TryParse(line.AsSpan(Ignored.Length).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong signals)
                && (signals & 1) == 0;
        }
        catch (InputException)
        {
            return false;
        }
    }
}
