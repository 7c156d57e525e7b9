using System.Runtime.InteropServices;

namespace Ldvc.Tensors.Gpu.Graphs;

/// <summary>The functions of the CUDA driver that capture a stream and start what was captured; ILGPU has no call for them.</summary>
internal sealed unsafe class CudaGraphFunctions
{
    // Calls of this thread that a graph cannot hold are errors while it captures; other threads may do what they like.
    private const int ThreadLocal = 1;

    private readonly delegate* unmanaged<nint, int, int> _beginCapture;
    private readonly delegate* unmanaged<nint, nint*, int> _endCapture;
    private readonly delegate* unmanaged<nint*, nint, ulong, int> _instantiate;
    private readonly delegate* unmanaged<nint*, nint, nint*, byte*, nuint, int> _instantiateLogged;
    private readonly delegate* unmanaged<nint, nint, int> _launch;
    private readonly delegate* unmanaged<nint, int> _destroyExecutable;
    private readonly delegate* unmanaged<nint, int> _destroy;
    private readonly delegate* unmanaged<int, byte**, int> _errorName;

    private CudaGraphFunctions(nint library, nint instantiate, nint instantiateLogged)
    {
        nint Function(string name) => NativeLibrary.GetExport(library, name);
        _beginCapture = (delegate* unmanaged<nint, int, int>)Function("cuStreamBeginCapture_v2");
        _endCapture = (delegate* unmanaged<nint, nint*, int>)Function("cuStreamEndCapture");
        _instantiate = (delegate* unmanaged<nint*, nint, ulong, int>)instantiate;
        _instantiateLogged = (delegate* unmanaged<nint*, nint, nint*, byte*, nuint, int>)instantiateLogged;
        _launch = (delegate* unmanaged<nint, nint, int>)Function("cuGraphLaunch");
        _destroyExecutable = (delegate* unmanaged<nint, int>)Function("cuGraphExecDestroy");
        _destroy = (delegate* unmanaged<nint, int>)Function("cuGraphDestroy");
        _errorName = (delegate* unmanaged<int, byte**, int>)Function("cuGetErrorName");
    }

    /// <summary>Where the driver's library may be.</summary>
    internal static string[] Files { get; } = ["libcuda.so.1", "libcuda.so", "nvcuda.dll"];

    /// <summary>Finds the functions.</summary>
    /// <param name="files">Names of the library; the first that is there is taken.</param>
    /// <param name="missing">What is not there; null when nothing is missing.</param>
    internal static CudaGraphFunctions? Find(IEnumerable<string> files, out string? missing)
    {
        foreach (string file in files)
        {
            if (!NativeLibrary.TryLoad(file, out nint library))
            {
                continue;
            }

            string[] needed =
            [
                "cuStreamBeginCapture_v2", "cuStreamEndCapture", "cuGraphLaunch", "cuGraphExecDestroy", "cuGraphDestroy", "cuGetErrorName",
            ];
            missing = needed.FirstOrDefault(name => !NativeLibrary.TryGetExport(library, name, out _));

            // The first came with CUDA 11.4, the second with 11.0.
            _ = NativeLibrary.TryGetExport(library, "cuGraphInstantiateWithFlags", out nint instantiate);
            _ = NativeLibrary.TryGetExport(library, "cuGraphInstantiate_v2", out nint logged);
            missing ??= instantiate == 0 && logged == 0 ? "cuGraphInstantiateWithFlags" : null;
            if (missing is null)
            {
                return new CudaGraphFunctions(library, instantiate, logged);
            }

            missing = $"the driver has no {missing}, which comes with CUDA 11.4";
            return null;
        }

        missing = $"expected the CUDA driver, found no {string.Join(", ", files)}";
        return null;
    }

    /// <summary>Starts to capture a stream, which must not be the default one.</summary>
    /// <exception cref="GraphException">The driver refuses.</exception>
    internal void BeginCapture(nint stream) => Check(_beginCapture(stream, ThreadLocal), "cuStreamBeginCapture");

    /// <summary>Ends a capture and gives the graph.</summary>
    /// <exception cref="GraphException">The capture was broken.</exception>
    internal nint EndCapture(nint stream)
    {
        nint graph = 0;
        int code = _endCapture(stream, &graph);
        if (code != 0 && graph != 0)
        {
            _ = _destroy(graph);
        }

        Check(code, "cuStreamEndCapture");
        return graph != 0 ? graph : throw new GraphException("cuStreamEndCapture: gave no graph");
    }

    /// <summary>Makes a graph ready to be started.</summary>
    /// <exception cref="GraphException">The driver refuses.</exception>
    internal nint Instantiate(nint graph)
    {
        nint executable = 0;
        int code = _instantiate != null ? _instantiate(&executable, graph, 0) : _instantiateLogged(&executable, graph, null, null, 0);
        Check(code, _instantiate != null ? "cuGraphInstantiateWithFlags" : "cuGraphInstantiate");
        return executable;
    }

    /// <summary>Queues a graph.</summary>
    /// <exception cref="GraphException">The driver refuses.</exception>
    internal void Launch(nint executable, nint stream) => Check(_launch(executable, stream), "cuGraphLaunch");

    /// <summary>Frees a graph, not what was made of it.</summary>
    internal void Destroy(nint graph) => _ = _destroy(graph);

    /// <summary>Frees what is started; if it still runs, when it has ended.</summary>
    internal void DestroyExecutable(nint executable) => _ = _destroyExecutable(executable);

    private void Check(int code, string function)
    {
        if (code != 0)
        {
            byte* name = null;
            _ = _errorName(code, &name);
            throw new GraphException($"{function}: {Marshal.PtrToStringUTF8((nint)name) ?? $"error {code}"}");
        }
    }
}
