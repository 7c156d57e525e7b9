using System.Runtime.InteropServices;

namespace Ldvc.Tensors.Gpu;

/// <summary>
/// Named ranges on the time line of NVIDIA's profilers (NVTX), pushed and popped by the thread that queues work. The library comes with the CUDA
/// toolkit; without it there are no ranges, and with it but no profiler they cost a call into it.
/// </summary>
internal sealed unsafe class NvtxRanges : IDeviceRanges, IDisposable
{
    private readonly delegate* unmanaged<byte*, int> _push;
    private readonly delegate* unmanaged<int> _pop;
    private readonly Dictionary<string, nint> _names = [];

    private NvtxRanges(nint push, nint pop)
    {
        _push = (delegate* unmanaged<byte*, int>)push;
        _pop = (delegate* unmanaged<int>)pop;
    }

    /// <summary>Where the library may be, by platform.</summary>
    internal static string[] Libraries { get; } = OperatingSystem.IsWindows()
        ? ["nvToolsExt64_1.dll"]
        : ["libnvToolsExt.so.1", "libnvToolsExt.so", "libnvtx3interop.so.1", "libnvtx3interop.so"];

    /// <summary>Ranges of the first library that is there and has the functions; null when none is.</summary>
    internal static NvtxRanges? Open(params ReadOnlySpan<string> libraries)
    {
        foreach (string name in libraries)
        {
            if (NativeLibrary.TryLoad(name, out nint library)
                && NativeLibrary.TryGetExport(library, "nvtxRangePushA", out nint push) && NativeLibrary.TryGetExport(
                    library, "nvtxRangePop", out nint pop))
            {
                return new NvtxRanges(push, pop);
            }
        }

        return null;
    }

    /// <summary>Ranges with functions of one's own: for tests.</summary>
    internal static NvtxRanges From(delegate* unmanaged<byte*, int> push, delegate* unmanaged<int> pop) => new((nint)push, (nint)pop);

    /// <summary>Opens a range inside those that are open; the result closes it.</summary>
    internal DeviceRange Push(string name)
    {
        if (!_names.TryGetValue(name, out nint text))
        {
            _names[name] = text = Marshal.StringToCoTaskMemUTF8(name);
        }

        _ = _push((byte*)text);
        return new DeviceRange(this);
    }

    public void Pop() => _ = _pop();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (nint text in _names.Values)
        {
            Marshal.FreeCoTaskMem(text);
        }

        _names.Clear();
    }
}
