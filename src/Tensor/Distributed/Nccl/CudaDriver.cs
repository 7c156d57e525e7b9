using System.Runtime.InteropServices;

namespace Ldvc.Tensors.Distributed.Nccl;

/// <summary>The functions of the CUDA driver that ILGPU has no call for: primary contexts, and events and copies between contexts.</summary>
internal sealed unsafe class CudaDriver
{
    private const uint NonBlocking = 1;
    private const uint NoTiming = 2;

    private readonly delegate* unmanaged<nint*, int, int> _primaryRetain;
    private readonly delegate* unmanaged<int, int> _primaryRelease;
    private readonly delegate* unmanaged<nint, int> _push;
    private readonly delegate* unmanaged<nint*, int> _pop;
    private readonly delegate* unmanaged<nint*, uint, int> _streamCreate;
    private readonly delegate* unmanaged<nint, int> _streamDestroy;
    private readonly delegate* unmanaged<nint, int> _streamSynchronize;
    private readonly delegate* unmanaged<nint, nint, uint, int> _streamWaitEvent;
    private readonly delegate* unmanaged<nint*, uint, int> _eventCreate;
    private readonly delegate* unmanaged<nint, int> _eventDestroy;
    private readonly delegate* unmanaged<nint, nint, int> _eventRecord;
    private readonly delegate* unmanaged<nint*, nuint, int> _memAlloc;
    private readonly delegate* unmanaged<nint, int> _memFree;
    private readonly delegate* unmanaged<nint, nint, nint, nint, nuint, nint, int> _memcpyPeer;
    private readonly delegate* unmanaged<int, byte**, int> _getErrorName;

    private CudaDriver(nint library)
    {
        nint Function(string name) => NativeLibrary.GetExport(library, name);
        _primaryRetain = (delegate* unmanaged<nint*, int, int>)Function("cuDevicePrimaryCtxRetain");
        _primaryRelease = (delegate* unmanaged<int, int>)Function("cuDevicePrimaryCtxRelease_v2");
        _push = (delegate* unmanaged<nint, int>)Function("cuCtxPushCurrent_v2");
        _pop = (delegate* unmanaged<nint*, int>)Function("cuCtxPopCurrent_v2");
        _streamCreate = (delegate* unmanaged<nint*, uint, int>)Function("cuStreamCreate");
        _streamDestroy = (delegate* unmanaged<nint, int>)Function("cuStreamDestroy_v2");
        _streamSynchronize = (delegate* unmanaged<nint, int>)Function("cuStreamSynchronize");
        _streamWaitEvent = (delegate* unmanaged<nint, nint, uint, int>)Function("cuStreamWaitEvent");
        _eventCreate = (delegate* unmanaged<nint*, uint, int>)Function("cuEventCreate");
        _eventDestroy = (delegate* unmanaged<nint, int>)Function("cuEventDestroy_v2");
        _eventRecord = (delegate* unmanaged<nint, nint, int>)Function("cuEventRecord");
        _memAlloc = (delegate* unmanaged<nint*, nuint, int>)Function("cuMemAlloc_v2");
        _memFree = (delegate* unmanaged<nint, int>)Function("cuMemFree_v2");
        _memcpyPeer = (delegate* unmanaged<nint, nint, nint, nint, nuint, nint, int>)Function("cuMemcpyPeerAsync");
        _getErrorName = (delegate* unmanaged<int, byte**, int>)Function("cuGetErrorName");
    }

    /// <summary>Where the driver's library may be.</summary>
    internal static string[] Files { get; } = ["libcuda.so.1", "libcuda.so", "nvcuda.dll"];

    /// <summary>Loads the driver; it is there when a CUDA device is.</summary>
    /// <exception cref="InputException">It is not there.</exception>
    internal static CudaDriver Load(params ReadOnlySpan<string> files)
    {
        foreach (string file in files)
        {
            if (NativeLibrary.TryLoad(file, out nint library))
            {
                return new CudaDriver(library);
            }
        }

        throw new InputException($"NCCL: expected the CUDA driver, found no {string.Join(", ", files)}.");
    }

    internal nint RetainPrimary(int device)
    {
        nint context = 0;
        Check(_primaryRetain(&context, device), "cuDevicePrimaryCtxRetain");
        return context;
    }

    internal void ReleasePrimary(int device) => Check(_primaryRelease(device), "cuDevicePrimaryCtxRelease");

    internal void Push(nint context) => Check(_push(context), "cuCtxPushCurrent");

    internal void Pop()
    {
        nint context = 0;
        Check(_pop(&context), "cuCtxPopCurrent");
    }

    internal nint NewStream()
    {
        nint stream = 0;
        Check(_streamCreate(&stream, NonBlocking), "cuStreamCreate");
        return stream;
    }

    internal void FreeStream(nint stream) => Check(_streamDestroy(stream), "cuStreamDestroy");

    internal void Synchronize(nint stream) => Check(_streamSynchronize(stream), "cuStreamSynchronize");

    internal void MakeWait(nint stream, nint mark) => Check(_streamWaitEvent(stream, mark, 0), "cuStreamWaitEvent");

    internal nint NewEvent()
    {
        nint mark = 0;
        Check(_eventCreate(&mark, NoTiming), "cuEventCreate");
        return mark;
    }

    internal void FreeEvent(nint mark) => Check(_eventDestroy(mark), "cuEventDestroy");

    internal void Record(nint mark, nint stream) => Check(_eventRecord(mark, stream), "cuEventRecord");

    /// <summary>Memory of the current context; zero when there is not that much.</summary>
    internal nint Allocate(long bytes)
    {
        const int OutOfMemory = 2;
        nint memory = 0;
        int code = _memAlloc(&memory, (nuint)bytes);
        if (code == OutOfMemory)
        {
            return 0;
        }

        Check(code, "cuMemAlloc");
        return memory;
    }

    internal void Free(nint memory) => Check(_memFree(memory), "cuMemFree");

    /// <summary>Queues a copy from one context's memory to another's on a stream of the current context.</summary>
    internal void Copy(nint target, nint targetContext, nint source, nint sourceContext, long bytes, nint stream) =>
        Check(_memcpyPeer(target, targetContext, source, sourceContext, (nuint)bytes, stream), "cuMemcpyPeerAsync");

    private void Check(int code, string operation)
    {
        if (code != 0)
        {
            byte* name = null;
            _ = _getErrorName(code, &name);
            throw new InvalidOperationException($"{operation}: {Marshal.PtrToStringUTF8((nint)name) ?? $"error {code}"}");
        }
    }
}
