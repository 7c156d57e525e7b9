using System.Runtime.InteropServices;
using System.Text;

namespace Ldvc.Tensors.Distributed.Mpi;

/// <summary>
/// A loaded MPI library: the functions that are used, by function pointers, with every handle as wide as a pointer (<see cref="MpiAbi"/>). Functions
/// return MPI's code, which <see cref="Check"/> turns into an exception. But for the version, only the thread that initialised MPI may call them.
/// </summary>
internal sealed unsafe class MpiLibrary
{
    // The longest strings of MPI's interfaces: 512 and 8192 bytes (MPICH's).
    private const int ErrorBytes = 1024;
    private const int VersionBytes = 8192 + 64;

    private readonly delegate* unmanaged<int*, int> _initialized;
    private readonly delegate* unmanaged<int*, int> _finalized;
    private readonly delegate* unmanaged<int*, byte***, int, int*, int> _initThread;
    private readonly delegate* unmanaged<int> _finalize;
    private readonly delegate* unmanaged<nint, int, int> _abort;
    private readonly delegate* unmanaged<byte*, int*, int> _getLibraryVersion;
    private readonly delegate* unmanaged<int, byte*, int*, int> _errorString;
    private readonly delegate* unmanaged<nint, int*, int> _commRank;
    private readonly delegate* unmanaged<nint, int*, int> _commSize;
    private readonly delegate* unmanaged<nint, nint*, int> _commDup;
    private readonly delegate* unmanaged<nint, nint, int> _commSetErrhandler;
    private readonly delegate* unmanaged<nint, int, int, nint, nint*, int> _commSplitType;
    private readonly delegate* unmanaged<nint*, int*, nint, int> _test;
    private readonly delegate* unmanaged<void*, void*, int, nint, nint, nint, nint*, int> _iallreduce;
    private readonly delegate* unmanaged<void*, int, nint, int, nint, nint*, int> _ibcast;
    private readonly delegate* unmanaged<void*, int, nint, void*, int*, int*, nint, int, nint, nint*, int> _igatherv;
    private readonly delegate* unmanaged<void*, int, nint, void*, int*, int*, nint, nint, nint*, int> _iallgatherv;
    private readonly delegate* unmanaged<nint, nint*, int> _ibarrier;
    private readonly delegate* unmanaged<void*, int, nint, int, int, nint, nint*, int> _isend;
    private readonly delegate* unmanaged<void*, int, nint, int, int, nint, nint*, int> _irecv;
    private readonly delegate* unmanaged<int, int, nint, int*, nint, int> _iprobe;
    private readonly delegate* unmanaged<void*, int, nint, int, int, nint, nint, int> _recv;

    private MpiLibrary(string file, nint library)
    {
        File = file;
        Abi = MpiAbi.Of(file, library);
        nint Function(string name) => NativeLibrary.TryGetExport(library, name, out nint function)
            ? function
            : throw new InputException($"{file}: expected a library of MPI 3.0 or newer, but it has no {name}.");
        _initialized = (delegate* unmanaged<int*, int>)Function("MPI_Initialized");
        _finalized = (delegate* unmanaged<int*, int>)Function("MPI_Finalized");
        _initThread = (delegate* unmanaged<int*, byte***, int, int*, int>)Function("MPI_Init_thread");
        _finalize = (delegate* unmanaged<int>)Function("MPI_Finalize");
        _abort = (delegate* unmanaged<nint, int, int>)Function("MPI_Abort");
        _getLibraryVersion = (delegate* unmanaged<byte*, int*, int>)Function("MPI_Get_library_version");
        _errorString = (delegate* unmanaged<int, byte*, int*, int>)Function("MPI_Error_string");
        _commRank = (delegate* unmanaged<nint, int*, int>)Function("MPI_Comm_rank");
        _commSize = (delegate* unmanaged<nint, int*, int>)Function("MPI_Comm_size");
        _commDup = (delegate* unmanaged<nint, nint*, int>)Function("MPI_Comm_dup");
        _commSetErrhandler = (delegate* unmanaged<nint, nint, int>)Function("MPI_Comm_set_errhandler");
        _commSplitType = (delegate* unmanaged<nint, int, int, nint, nint*, int>)Function("MPI_Comm_split_type");
        _test = (delegate* unmanaged<nint*, int*, nint, int>)Function("MPI_Test");
        _iallreduce = (delegate* unmanaged<void*, void*, int, nint, nint, nint, nint*, int>)Function("MPI_Iallreduce");
        _ibcast = (delegate* unmanaged<void*, int, nint, int, nint, nint*, int>)Function("MPI_Ibcast");
        _igatherv = (delegate* unmanaged<void*, int, nint, void*, int*, int*, nint, int, nint, nint*, int>)Function("MPI_Igatherv");
        _iallgatherv = (delegate* unmanaged<void*, int, nint, void*, int*, int*, nint, nint, nint*, int>)Function("MPI_Iallgatherv");
        _ibarrier = (delegate* unmanaged<nint, nint*, int>)Function("MPI_Ibarrier");
        _isend = (delegate* unmanaged<void*, int, nint, int, int, nint, nint*, int>)Function("MPI_Isend");
        _irecv = (delegate* unmanaged<void*, int, nint, int, int, nint, nint*, int>)Function("MPI_Irecv");
        _iprobe = (delegate* unmanaged<int, int, nint, int*, nint, int>)Function("MPI_Iprobe");
        _recv = (delegate* unmanaged<void*, int, nint, int, int, nint, nint, int>)Function("MPI_Recv");
        Version = MpiVersion.Shorten(ReadVersion());
        Family = MpiVersion.FamilyOf(Version);
    }

    /// <summary>The file, as it was loaded.</summary>
    internal string File { get; }

    /// <summary>Its handles and constants.</summary>
    internal MpiAbi Abi { get; }

    /// <summary>What it calls itself, e.g. "Open MPI 4.1.4".</summary>
    internal string Version { get; }

    /// <summary>Who made it; null when its version does not tell.</summary>
    internal MpiFamily? Family { get; }

    /// <summary>Loads a library by file name, as the dynamic linker finds it, or by path.</summary>
    /// <param name="file">The name.</param>
    /// <param name="why">Why it cannot be loaded.</param>
    /// <returns>Null when it cannot be loaded.</returns>
    /// <exception cref="InputException">It is no MPI library, or too old.</exception>
    internal static MpiLibrary? TryLoad(string file, out string why)
    {
        why = "";
        try
        {
            return new MpiLibrary(file, NativeLibrary.Load(file));
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            // What the linker said of the file itself stands on a line of its own.
            string[] lines = e.Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            why = Array.Find(lines[1..], line => line.Contains(file, StringComparison.Ordinal)) ?? lines[0];
            return null;
        }
    }

    /// <summary>Turns a code into an exception with MPI's own words.</summary>
    /// <param name="code">What a function returned.</param>
    /// <param name="operation">The function.</param>
    /// <param name="rank">This process.</param>
    /// <exception cref="ProcessGroupException">It is not MPI_SUCCESS.</exception>
    internal void Check(int code, string operation, int rank)
    {
        if (code != 0)
        {
            throw new ProcessGroupException(operation, rank, ErrorString(code));
        }
    }

    internal bool Initialized()
    {
        int flag = 0;
        Check(_initialized(&flag), "MPI_Initialized", 0);
        return flag != 0;
    }

    internal bool Finalized()
    {
        int flag = 0;
        Check(_finalized(&flag), "MPI_Finalized", 0);
        return flag != 0;
    }

    internal int InitThread(int required, out int provided)
    {
        int level = 0;
        int code = _initThread(null, null, required, &level);
        provided = level;
        return code;
    }

    internal int Finish() => _finalize();

    internal int Abort(int exitCode) => _abort(Abi.World, exitCode);

    internal int CommRank(nint comm, int* rank) => _commRank(comm, rank);

    internal int CommSize(nint comm, int* size) => _commSize(comm, size);

    internal int CommDup(nint comm, nint* copy) => _commDup(comm, copy);

    internal int ReturnErrors(nint comm) => _commSetErrhandler(comm, Abi.ErrorsReturn);

    internal int SplitByNode(nint comm, int key, nint* node) => _commSplitType(comm, Abi.TypeShared, key, Abi.InfoNull, node);

    internal int Test(nint* request, int* done) => _test(request, done, Abi.StatusIgnore);

    internal int AllReduce(void* values, int count, nint type, nint operation, nint comm, nint* request) =>
        _iallreduce((void*)Abi.InPlace, values, count, type, operation, comm, request);

    internal int Broadcast(void* data, int count, int root, nint comm, nint* request) => _ibcast(data, count, Abi.Byte, root, comm, request);

    internal int Gather(void* data, int count, void* all, int* counts, int* starts, int root, nint comm, nint* request) =>
        _igatherv(data, count, Abi.Byte, all, counts, starts, Abi.Byte, root, comm, request);

    internal int AllGather(void* data, int count, void* all, int* counts, int* starts, nint comm, nint* request) =>
        _iallgatherv(data, count, Abi.Byte, all, counts, starts, Abi.Byte, comm, request);

    internal int Barrier(nint comm, nint* request) => _ibarrier(comm, request);

    internal int Send(void* data, int count, int to, int tag, nint comm, nint* request) => _isend(data, count, Abi.Byte, to, tag, comm, request);

    internal int BeginReceive(void* data, int count, int from, int tag, nint comm, nint* request) =>
        _irecv(data, count, Abi.Byte, from, tag, comm, request);

    internal int ProbeAny(int tag, nint comm, int* there) => _iprobe(Abi.AnySource, tag, comm, there, Abi.StatusIgnore);

    internal int ReceiveAny(void* data, int count, int tag, nint comm) => _recv(data, count, Abi.Byte, Abi.AnySource, tag, comm, Abi.StatusIgnore);

    private string ErrorString(int code)
    {
        byte* text = stackalloc byte[ErrorBytes];
        int length = 0;
        return _errorString(code, text, &length) == 0 && length > 0
            ? Encoding.UTF8.GetString(text, Math.Min(length, ErrorBytes)).ReplaceLineEndings(" ").Trim()
            : $"error {code}";
    }

    // One of the few functions that may be called before MPI is initialised.
    private string ReadVersion()
    {
        byte[] text = new byte[VersionBytes];
        int length = 0;
        fixed (byte* start = text)
        {
            Check(_getLibraryVersion(start, &length), "MPI_Get_library_version", 0);
        }

        return Encoding.UTF8.GetString(text, 0, Math.Clamp(length, 0, VersionBytes)).TrimEnd('\0');
    }
}
