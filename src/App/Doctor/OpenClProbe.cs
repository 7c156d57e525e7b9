using System.Runtime.InteropServices;
using System.Text;

namespace Ldvc.App.Doctor;

/// <summary>Asks the OpenCL loader, if there is one, for its platforms.</summary>
internal static unsafe class OpenClProbe
{
    private const uint PlatformName = 0x0902;
    private const int MaxPlatforms = 16;

    private static readonly string[] Names =
        OperatingSystem.IsWindows() ? ["OpenCL.dll"] : OperatingSystem.IsMacOS() ? ["/System/Library/Frameworks/OpenCL.framework/OpenCL"]
        : ["libOpenCL.so.1", "libOpenCL.so"];

    /// <summary>"libOpenCL.so.1, 1 platform: ...", or why there is nothing.</summary>
    public static string Describe()
    {
        nint library = NativeProbe.Load(Names, out string found);
        if (library == 0)
        {
            return found;
        }

        if (!NativeLibrary.TryGetExport(library, "clGetPlatformIDs", out nint getIds)
            || !NativeLibrary.TryGetExport(library, "clGetPlatformInfo", out nint getInfo))
        {
            return $"{found} is loaded but lacks the loader's functions";
        }

        uint count = 0;
        nint* platforms = stackalloc nint[MaxPlatforms];
        int error = ((delegate* unmanaged<uint, nint*, uint*, int>)getIds)(MaxPlatforms, platforms, &count);
        if (error != 0 || count == 0)
        {
            return $"{found} is loaded, but there is no platform (clGetPlatformIDs returned {error})";
        }

        var names = new List<string>();
        byte* buffer = stackalloc byte[256];
        for (int i = 0; i < Math.Min(count, MaxPlatforms); i++)
        {
            nuint size = 0;
            if (((delegate* unmanaged<nint, uint, nuint, byte*, nuint*, int>)getInfo)(platforms[i], PlatformName, 256, buffer, &size) == 0)
            {
                names.Add(Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(buffer)).Trim());
            }
        }

        return $"{found}, {count} platform{(count == 1 ? "" : "s")}: {string.Join(", ", names)}";
    }
}
