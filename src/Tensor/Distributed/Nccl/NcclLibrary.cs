using System.Runtime.InteropServices;

namespace Ldvc.Tensors.Distributed.Nccl;

/// <summary>
/// A loaded NCCL: the functions that are used, by function pointers. The numbers of types and operations are those of NCCL 2's nccl.h.
/// </summary>
internal sealed unsafe class NcclLibrary
{
    /// <summary>The variable that names the library.</summary>
    internal const string Variable = "LDVC_NCCL_LIBRARY";

    private const int SumOperation = 0;

    private readonly delegate* unmanaged<int*, int> _getVersion;
    private readonly delegate* unmanaged<NcclUniqueId*, int> _getUniqueId;
    private readonly delegate* unmanaged<nint*, int, NcclUniqueId, int, int> _commInitRank;
    private readonly delegate* unmanaged<nint, int> _commDestroy;
    private readonly delegate* unmanaged<nint, int*, int> _commGetAsyncError;
    private readonly delegate* unmanaged<nint, nint, nuint, int, int, nint, nint, int> _allReduce;
    private readonly delegate* unmanaged<int, byte*> _getErrorString;

    private NcclLibrary(string file, nint library)
    {
        File = file;
        nint Function(string name) => NativeLibrary.TryGetExport(library, name, out nint function)
            ? function
            : throw new InputException($"{file}: expected NCCL 2, but it has no {name}.");
        _getVersion = (delegate* unmanaged<int*, int>)Function("ncclGetVersion");
        _getUniqueId = (delegate* unmanaged<NcclUniqueId*, int>)Function("ncclGetUniqueId");
        _commInitRank = (delegate* unmanaged<nint*, int, NcclUniqueId, int, int>)Function("ncclCommInitRank");
        _commDestroy = (delegate* unmanaged<nint, int>)Function("ncclCommDestroy");
        _commGetAsyncError = (delegate* unmanaged<nint, int*, int>)Function("ncclCommGetAsyncError");
        _allReduce = (delegate* unmanaged<nint, nint, nuint, int, int, nint, nint, int>)Function("ncclAllReduce");
        _getErrorString = (delegate* unmanaged<int, byte*>)Function("ncclGetErrorString");
        int version = 0;
        Check(_getVersion(&version), "ncclGetVersion", 0);

        // 2.8 and before wrote 2805 for 2.8.5, later ones 20903 for 2.9.3.
        Version = version < 10000
            ? $"NCCL {version / 1000}.{version % 1000 / 100}.{version % 100}"
            : $"NCCL {version / 10000}.{version % 10000 / 100}.{version % 100}";
    }

    /// <summary>The file, as it was loaded.</summary>
    internal string File { get; }

    /// <summary>"NCCL 2.27.3".</summary>
    internal string Version { get; }

    /// <summary>The file names that are tried; one, when the variable names it.</summary>
    internal static string[] Files(Func<string, string?> variable) =>
        variable(Variable) is { Length: > 0 } named ? [named] : ["libnccl.so.2", "libnccl.so"];

    /// <summary>Loads the first of the files that is there.</summary>
    /// <param name="files">File names as the dynamic linker finds them, or paths.</param>
    /// <param name="why">Why none can be loaded.</param>
    /// <exception cref="InputException">One can be loaded and is no NCCL 2.</exception>
    internal static NcclLibrary? TryLoad(string[] files, out string why)
    {
        why = $"no {string.Join(" or ", files)}";
        foreach (string file in files)
        {
            if (NativeLibrary.TryLoad(file, out nint library))
            {
                return new NcclLibrary(file, library);
            }
        }

        return null;
    }

    /// <summary>NCCL's number of an element type that it can add.</summary>
    internal static int TypeOf(DType type) => type switch
    {
        DType.Float16 => 6,
        DType.Float32 => 7,
        DType.BFloat16 => 9,
        _ => throw new ArgumentOutOfRangeException(nameof(type), $"NCCL: expected float32, bf16 or fp16, got {type}"),
    };

    internal NcclUniqueId NewId(int rank)
    {
        NcclUniqueId id = default;
        Check(_getUniqueId(&id), "ncclGetUniqueId", rank);
        return id;
    }

    /// <summary>Joins a communicator on the current CUDA device; returns when all ranks have.</summary>
    internal nint Join(NcclUniqueId id, int rank, int size)
    {
        nint communicator = 0;
        Check(_commInitRank(&communicator, size, id, rank), "ncclCommInitRank", rank);
        return communicator;
    }

    /// <summary>Queues a sum in place on a stream.</summary>
    internal void Sum(nint values, long count, int type, nint communicator, nint stream, int rank) =>
        Check(_allReduce(values, values, (nuint)count, type, SumOperation, communicator, stream), "ncclAllReduce", rank);

    /// <summary>Throws what has gone wrong with a communicator since its last call.</summary>
    internal void CheckLater(nint communicator, int rank)
    {
        int error = 0;
        Check(_commGetAsyncError(communicator, &error), "ncclCommGetAsyncError", rank);
        Check(error, "ncclAllReduce", rank);
    }

    internal void Leave(nint communicator, int rank) => Check(_commDestroy(communicator), "ncclCommDestroy", rank);

    private void Check(int code, string operation, int rank)
    {
        if (code != 0)
        {
            throw new ProcessGroupException(operation, rank, Marshal.PtrToStringUTF8((nint)_getErrorString(code)) ?? $"error {code}");
        }
    }
}
