using System.Runtime.InteropServices;
using Ldvc.Tensors.Gpu.Graphs;
using Ldvc.Tests.Distributed;
using Ldvc.Tests.Serialization;

namespace Ldvc.Tests.Gpu;

/// <summary>A library that stands in for the CUDA driver's graphs (tests/data/cuda), built by gcc.</summary>
internal sealed unsafe class GraphStandIn
{
    internal const nint Stream = 77;

    private readonly nint _library;

    /// <summary>Builds and loads it.</summary>
    /// <param name="folder">Where it is built.</param>
    /// <param name="define">What it is to leave out; empty for nothing.</param>
    internal GraphStandIn(TempFolder folder, string define = "NEW")
    {
        File = folder.File($"graphs-{define}.so");
        StandInLibrary.Build("cuda", File, "graphs.c", "-D" + define);
        _library = NativeLibrary.Load(File);
    }

    internal string File { get; }

    /// <summary>Objects that were not given back.</summary>
    internal int Live => ((delegate* unmanaged<int>)Function("standin_live"))();

    /// <summary>Calls so far: what was called, the stream, the mode.</summary>
    internal string[] Calls =>
        Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<byte*>)Function("standin_log"))())!.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The driver's graphs, of a stream.</summary>
    internal CudaGraphs Driver(nint stream = Stream) => new([File], () => stream, () => false);

    /// <summary>The next call of a name fails.</summary>
    internal void Fail(string name, int code)
    {
        nint text = Marshal.StringToCoTaskMemUTF8(name);
        ((delegate* unmanaged<nint, int, void>)Function("standin_fail"))(text, code);
        Marshal.FreeCoTaskMem(text);
    }

    private nint Function(string name) => NativeLibrary.GetExport(_library, name);
}
