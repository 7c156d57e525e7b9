using System.Runtime.InteropServices;
using System.Text;

namespace Ldvc.App.Doctor;

/// <summary>Asks the CUDA driver, if there is one, for its version and its devices.</summary>
internal static unsafe class CudaProbe
{
    private static readonly string[] Names = OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1", "libcuda.so"];

    /// <summary>"libcuda.so.1, CUDA 12.4, 1 device: NVIDIA H200", or why there is nothing.</summary>
    public static string Describe()
    {
        nint library = NativeProbe.Load(Names, out string found);
        if (library == 0)
        {
            return found;
        }

        if (!Find(library, "cuInit", out nint init)
            || !Find(library, "cuDriverGetVersion", out nint getVersion)
            || !Find(library, "cuDeviceGetCount", out nint getCount)
            || !Find(library, "cuDeviceGetName", out nint getName))
        {
            return $"{found} is loaded but lacks the driver's functions";
        }

        int error = ((delegate* unmanaged<uint, int>)init)(0);
        if (error != 0)
        {
            return $"{found} is loaded, but cuInit returned {error}{(error == 100 ? " (no device)" : "")}";
        }

        int version = 0;
        int count = 0;
        _ = ((delegate* unmanaged<int*, int>)getVersion)(&version);
        _ = ((delegate* unmanaged<int*, int>)getCount)(&count);
        var names = new List<string>();
        byte* buffer = stackalloc byte[256];
        for (int device = 0; device < count; device++)
        {
            if (((delegate* unmanaged<byte*, int, int, int>)getName)(buffer, 256, device) == 0)
            {
                names.Add(Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(buffer)));
            }
        }

        return $"{found}, CUDA {version / 1000}.{version % 1000 / 10}, {count} device{(count == 1 ? "" : "s")}: {string.Join(", ", names)}";
    }

    private static bool Find(nint library, string name, out nint function) => NativeLibrary.TryGetExport(library, name, out function);
}
