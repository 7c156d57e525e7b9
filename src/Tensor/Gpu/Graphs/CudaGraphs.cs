using ILGPU.Runtime.Cuda;

namespace Ldvc.Tensors.Gpu.Graphs;

/// <summary>Captures a stream of CUDA.</summary>
internal sealed class CudaGraphs : IGraphDriver
{
    private readonly CudaGraphFunctions? _functions;
    private readonly Func<nint> _stream;
    private readonly Func<bool> _ended;

    /// <summary>Captures a stream.</summary>
    /// <param name="files">Names of the driver's library.</param>
    /// <param name="stream">The stream; asked before every call, which makes its context the thread's current one.</param>
    /// <param name="ended">Whether the device has ended, and its graphs with it.</param>
    internal CudaGraphs(IEnumerable<string> files, Func<nint> stream, Func<bool> ended)
    {
        _functions = CudaGraphFunctions.Find(files, out string? missing);
        (Missing, _stream, _ended) = (missing, stream, ended);
    }

    /// <inheritdoc/>
    public string? Missing { get; }

    /// <summary>What captures on a device; null when it is none of CUDA's.</summary>
    internal static IGraphDriver? Of(Device device) => device switch
    {
        GpuDevice { GraphDriver: { } given } => given,
        GpuDevice { Kind: GpuKind.Cuda } gpu => new CudaGraphs(
            CudaGraphFunctions.Files, () => ((CudaStream)gpu.Stream).StreamPtr, () => gpu.IsDisposed),
        _ => null,
    };

    /// <inheritdoc/>
    public void Begin() => _functions!.BeginCapture(_stream());

    /// <inheritdoc/>
    public IDeviceGraph End()
    {
        nint graph = _functions!.EndCapture(_stream());
        try
        {
            return new Graph(this, _functions.Instantiate(graph));
        }
        finally
        {
            _functions.Destroy(graph);
        }
    }

    /// <inheritdoc/>
    public void Abandon()
    {
        try
        {
            _functions!.Destroy(_functions.EndCapture(_stream()));
        }
        catch (GraphException)
        {
            // A broken capture ends with an error, and without a graph.
        }
    }

    private sealed class Graph(CudaGraphs driver, nint executable) : IDeviceGraph
    {
        private nint _executable = executable;

        /// <inheritdoc/>
        public void Launch() => driver._functions!.Launch(_executable, driver._stream());

        /// <inheritdoc/>
        public void Dispose()
        {
            if (_executable != 0 && !driver._ended())
            {
                _ = driver._stream();
                driver._functions!.DestroyExecutable(_executable);
            }

            _executable = 0;
        }
    }
}
