using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Ldvc.Tensors.Serialization;

/// <summary>
/// What lies under a path, asked without opening it: opening a named pipe waits until somebody writes, and a device such as /dev/zero has no end.
/// .NET does not tell these from files, so Linux is asked itself; elsewhere everything counts as a file, and reading is bounded all the same.
/// </summary>
internal static partial class FileKind
{
    private const int CurrentFolder = -100, OnlyType = 1, StructureBytes = 256, ModeOffset = 28;
    private const int TypeMask = 0xF000, Pipe = 0x1000, CharacterDevice = 0x2000, BlockDevice = 0x6000, Socket = 0xC000;

    /// <summary>"a pipe", "a device" or "a socket"; null for a file, a folder, nothing, and where it cannot be told.</summary>
    internal static string? Special(string path)
    {
        if (!OperatingSystem.IsLinux() || path.Contains('\0', StringComparison.Ordinal))
        {
            return null;
        }

        Span<byte> found = stackalloc byte[StructureBytes];
        try
        {
            if (Ask(CurrentFolder, path, 0, OnlyType, found) != 0)
            {
                return null;
            }
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
        {
            // A C library without the call.
            return null;
        }

        return (BinaryPrimitives.ReadUInt16LittleEndian(found[ModeOffset..]) & TypeMask) switch
        {
            Pipe => "a pipe",
            CharacterDevice or BlockDevice => "a device",
            Socket => "a socket",
            _ => null,
        };
    }

    /// <summary>Where a link points to that leads to nothing; null for everything else. To .NET such a link is a file that exists.</summary>
    internal static string? DeadLink(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true) is { Exists: false } target ? target.FullName : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // The same structure on every processor, unlike that of stat. It may have grown since; 256 bytes are what the kernel promises never to exceed.
    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Ask(int folder, string path, int flags, uint mask, Span<byte> found);
}
