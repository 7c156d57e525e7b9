using System.Runtime.InteropServices;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Ldvc.Tensors.Gpu;

/// <summary>
/// A point in a stream that the host or another stream can wait for. On CUDA it is an event, and a waiting stream does not stop the host; ILGPU
/// offers no events for the other devices, where the host waits for the whole stream instead, which is right and slower.
/// </summary>
internal sealed unsafe class GpuFence : IDisposable
{
    private static readonly delegate* unmanaged<nint, nint, uint, int> s_streamWaitEvent = FindStreamWait();
    private readonly bool _cuda;
    private AcceleratorStream? _recorded;
    private nint _event;

    internal GpuFence(Accelerator accelerator)
    {
        _cuda = accelerator is CudaAccelerator && s_streamWaitEvent != null;
        if (_cuda)
        {
            accelerator.Bind();
            CudaException.ThrowIfFailed(CudaAPI.CurrentAPI.CreateEvent(out _event, CudaEventFlags.CU_EVENT_DISABLE_TIMING));
        }
    }

    /// <summary>Marks everything started on the stream so far.</summary>
    internal void Record(AcceleratorStream stream)
    {
        _recorded = stream;
        if (_cuda)
        {
            CudaException.ThrowIfFailed(CudaAPI.CurrentAPI.RecordEvent(_event, ((CudaStream)stream).StreamPtr));
        }
    }

    /// <summary>The host waits for what was marked; nothing to wait for when nothing was.</summary>
    internal void Wait()
    {
        if (_recorded is null)
        {
            return;
        }

        if (_cuda)
        {
            CudaException.ThrowIfFailed(CudaAPI.CurrentAPI.SynchronizeEvent(_event));
        }
        else
        {
            _recorded.Synchronize();
        }

        _recorded = null;
    }

    /// <summary>What is started on a stream from now on waits for what was marked.</summary>
    internal void MakeWait(AcceleratorStream stream)
    {
        if (_cuda && _recorded is not null)
        {
            CudaException.ThrowIfFailed((CudaError)s_streamWaitEvent(((CudaStream)stream).StreamPtr, _event, 0));
        }
        else
        {
            Wait();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_event != 0)
        {
            CudaException.ThrowIfFailed(CudaAPI.CurrentAPI.DestroyEvent(_event));
            _event = 0;
        }
    }

    private static delegate* unmanaged<nint, nint, uint, int> FindStreamWait()
    {
        foreach (string name in new[] { "libcuda.so.1", "libcuda.so", "nvcuda.dll" })
        {
            if (NativeLibrary.TryLoad(name, out nint library) && NativeLibrary.TryGetExport(library, "cuStreamWaitEvent", out nint function))
            {
                return (delegate* unmanaged<nint, nint, uint, int>)function;
            }
        }

        return null;
    }
}
