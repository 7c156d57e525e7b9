using System.Reflection;
using System.Runtime.InteropServices;

namespace Ldvc.Tensors.Gpu;

/// <summary>
/// Lets ILGPU find the drivers' libraries. It asks for libcuda.so and libOpenCL.so, names that only development packages install; the driver
/// itself brings libcuda.so.1, and the loader package libOpenCL.so.1.
/// </summary>
internal static class GpuLibraries
{
    private static readonly Lock s_lock = new();
    private static bool s_done;

    internal static void Resolve()
    {
        lock (s_lock)
        {
            if (!s_done)
            {
                NativeLibrary.SetDllImportResolver(typeof(ILGPU.Context).Assembly, Load);
                s_done = true;
            }
        }
    }

    private static nint Load(string name, Assembly assembly, DllImportSearchPath? path)
    {
        string[] names = name switch
        {
            "cuda" => ["libcuda.so.1", "libcuda.so"],
            "OpenCL" => ["libOpenCL.so.1", "libOpenCL.so"],
            _ => [],
        };
        foreach (string candidate in OperatingSystem.IsLinux() ? names : [])
        {
            if (NativeLibrary.TryLoad(candidate, out nint handle))
            {
                return handle;
            }
        }

        // Zero: the runtime goes on to search as usual.
        return 0;
    }
}
