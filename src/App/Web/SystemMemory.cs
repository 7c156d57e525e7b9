using System.Runtime.InteropServices;

namespace Ldvc.App.Web;

/// <summary>Gives memory that is free inside of the process back to the system.</summary>
internal static unsafe class SystemMemory
{
    private static readonly delegate* unmanaged<nuint, int> Trim = FindTrim();

    /// <summary>Collects and compacts the managed heap, and hands what the C library keeps for later back. Takes some ten milliseconds.</summary>
    internal static void GiveBack()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        if (Trim is not null)
        {
            Trim(0);
        }
    }

    // Of glibc; other C libraries return large blocks by themselves.
    private static delegate* unmanaged<nuint, int> FindTrim() =>
        OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out nint library) && NativeLibrary.TryGetExport(
            library, "malloc_trim", out nint trim)
            ? (delegate* unmanaged<nuint, int>)trim
            : null;
}
