using System.Runtime.InteropServices;

namespace Ldvc.App.Doctor;

/// <summary>Finds a driver's library the way the dynamic linker does.</summary>
internal static class NativeProbe
{
    /// <summary>Loads the first of the names that can be loaded; zero, and why not, when none can.</summary>
    public static nint Load(ReadOnlySpan<string> names, out string found)
    {
        string reason = "";
        foreach (string name in names)
        {
            try
            {
                nint handle = NativeLibrary.Load(name);
                found = name;
                return handle;
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
            {
                // "Unable to load shared library 'x' or one of its dependencies. ...": what the linker said is on the lines after that.
                string[] lines = e.Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
                reason = lines.Skip(1).FirstOrDefault(line => line.Contains(name, StringComparison.Ordinal)) ?? lines[0];
            }
        }

        found = $"no {string.Join(" or ", names.ToArray())} ({reason})";
        return 0;
    }
}
