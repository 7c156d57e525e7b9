using System.Runtime.InteropServices;

namespace Ldvc.Tensors.Distributed.Mpi;

/// <summary>How long the communication thread lets others run before it asks MPI again.</summary>
internal static partial class MpiPause
{
    private static readonly TimeSpan s_least = TimeSpan.FromMicroseconds(100);
    private static readonly TimeSpan s_most = TimeSpan.FromMilliseconds(1);

    /// <summary>How long MPI is asked without a pause, while somebody waits.</summary>
    internal static readonly TimeSpan Burst = TimeSpan.FromMicroseconds(500);

    /// <summary>Pauses in proportion to how long the oldest operation has run, so that a wait becomes longer by an eighth at most.</summary>
    /// <param name="elapsed">How long it has run.</param>
    /// <param name="awaited">Whether a thread of the program waits for it; if not, the core is the computation's.</param>
    internal static void After(TimeSpan elapsed, bool awaited)
    {
        TimeSpan nap = elapsed / (awaited ? 8 : 4);
        Sleep(nap > s_most ? s_most : nap < s_least ? s_least : nap);
    }

    private static void Sleep(TimeSpan nap)
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
        {
            _ = MicroSleep((uint)nap.TotalMicroseconds);
        }
        else
        {
            Thread.Sleep(1);
        }
    }

    // Thread.Sleep knows whole milliseconds only.
    [LibraryImport("libc", EntryPoint = "usleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MicroSleep(uint microseconds);
}
