using System.Runtime.InteropServices;

namespace Ldvc.Tensors;

/// <summary>
/// Asks Linux for pages of 2 MiB under large blocks. The first touch of a page costs the kernel a fault and the block its zeros; with pages of 4 KiB
/// a model of half a gigabyte takes 120000 faults, more time than reading it from a file. Elsewhere, or where the administrator has turned them off,
/// nothing happens.
/// </summary>
internal static partial class LargePages
{
    /// <summary>Size and alignment of such a page.</summary>
    internal const int Size = 2 << 20;

    private const int Advice = 14; // MADV_HUGEPAGE

    /// <summary>Whether blocks of so many bytes get them.</summary>
    internal static bool Suit(long bytes) => bytes >= Size && OperatingSystem.IsLinux();

    /// <summary>
    /// Asks for the whole pages in a block that is aligned to <see cref="Size"/>; the rest keeps small ones, so no memory is taken that nobody asked
    /// for.
    /// </summary>
    internal static unsafe void Ask(void* block, long bytes) => _ = MAdvise(block, (nuint)(bytes / Size * Size), Advice);

    // A hint: that it is refused is no error.
    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int MAdvise(void* address, nuint length, int advice);
}
