using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Ldvc.Tensors.Distributed.Mpi;

/// <summary>The processes that a launcher of MPI started.</summary>
internal sealed unsafe class MpiProcessGroup : IProcessGroup
{
    /// <summary>The variable with the seconds that a process may give no sign of life; 0 for any time.</summary>
    internal const string SilenceVariable = "LDVC_MPI_TIMEOUT";

    /// <summary>The seconds without it.</summary>
    internal const int Silence = 20;

    private readonly MpiLibrary _mpi;
    private readonly MpiThread _thread;
    private readonly nint _world;
    private long _waited;

    /// <summary>Initialises MPI; all processes of the job do.</summary>
    /// <param name="mpi">The library.</param>
    /// <param name="silence">How long a process may give no sign of life.</param>
    /// <param name="say">Prints a sentence for the user.</param>
    /// <exception cref="InputException">MPI cannot be initialised.</exception>
    internal MpiProcessGroup(MpiLibrary mpi, TimeSpan silence, Action<string> say)
    {
        _mpi = mpi;
        _world = mpi.Abi.World;
        _thread = new MpiThread(mpi, silence, say);
    }

    public int Rank => _thread.Rank;

    public int Size => _thread.Size;

    public int LocalRank => _thread.LocalRank;

    public int LocalSize => _thread.LocalSize;

    public string Description => $"{Size} process{(Size == 1 ? "" : "es")}, {_mpi.Version}";

    public TimeSpan TimeInCommunication => new(Interlocked.Read(ref _waited));

    /// <summary>Elements, or bytes, of one call at most: MPI counts in an int. Tests make it small.</summary>
    internal int CallElements { get; set; } = 1 << 30;

    public void Sum(Span<float> values) => Reduce(values, _mpi.Abi.Float, _mpi.Abi.Sum);

    public void Sum(Span<double> values) => Reduce(values, _mpi.Abi.Double, _mpi.Abi.Sum);

    public void Sum(Span<long> values) => Reduce(values, _mpi.Abi.Int64, _mpi.Abi.Sum);

    public void Max(Span<double> values) => Reduce(values, _mpi.Abi.Double, _mpi.Abi.Max);

    public void Max(Span<long> values) => Reduce(values, _mpi.Abi.Int64, _mpi.Abi.Max);

    public void Broadcast(Span<byte> data, int root)
    {
        GroupChecks.Root(root, Size);
        fixed (byte* start = data)
        {
            byte* from = start;
            Finish("MPI_Ibcast", Cut(data.Length, (at, count) => request => _mpi.Broadcast(from + at, count, root, _world, request)));
        }
    }

    public byte[][]? Gather(ReadOnlySpan<byte> data, int root)
    {
        GroupChecks.Root(root, Size);
        return Collect(data, root);
    }

    public byte[][] AllGather(ReadOnlySpan<byte> data) => Collect(data, null)!;

    public void Barrier() => Finish("MPI_Ibarrier", [request => _mpi.Barrier(_world, request)]);

    public IPendingSum BeginSum(Memory<float> values)
    {
        var pin = values.Pin();
        return Begin((float*)pin.Pointer, values.Length, () => pin.Dispose());
    }

    public IPendingSum BeginSum(Tensor values)
    {
        GroupChecks.Summable(values);
        if (values.Device is not CpuDevice || values.DType != DType.Float32)
        {
            return HostSum.Begin(this, values);
        }

        Tensor held = values.Share();
        return Begin(held.View.Floats, held.Count, held.Dispose);
    }

    public void Use(Device device)
    {
    }

    [DoesNotReturn]
    public void Abort(int exitCode, string? sentence)
    {
        _thread.Abort(new MpiAbort(exitCode, sentence, Rank, Size));
        Environment.Exit(exitCode);
    }

    public void Dispose()
    {
        long start = Stopwatch.GetTimestamp();
        _thread.Close();
        Interlocked.Add(ref _waited, Stopwatch.GetElapsedTime(start).Ticks);
    }

    private PendingSum Begin(float* start, long count, Action release)
    {
        MpiStart[] calls = Cut(count, (at, part) => request => _mpi.AllReduce(start + at, part, _mpi.Abi.Float, _mpi.Abi.Sum, _world, request));
        var operation = new MpiOperation("MPI_Iallreduce", calls);
        _thread.Post(operation);
        return new PendingSum(() =>
        {
            Wait(operation);
            release();
        });
    }

    private void Reduce<T>(Span<T> values, nint type, nint operation)
        where T : unmanaged
    {
        fixed (T* start = values)
        {
            T* from = start;
            Finish(
                "MPI_Iallreduce", Cut(values.Length, (at, count) => request => _mpi.AllReduce(from + at, count, type, operation, _world, request)));
        }
    }

    // Lengths first; then the bytes, in rounds so small that a whole round is counted in an int.
    private byte[][]? Collect(ReadOnlySpan<byte> data, int? root)
    {
        var lengths = new long[Size];
        lengths[Rank] = data.Length;
        Sum(lengths);
        byte[][]? all = root is null || root == Rank ? [.. lengths.Select(length => new byte[length])] : null;
        long most = Math.Min(CallElements, int.MaxValue / Size), longest = lengths.Max();
        for (long at = 0; at < longest; at += most)
        {
            int[] counts = [.. lengths.Select(length => (int)Math.Clamp(length - at, 0, most))];
            Round(data[(int)Math.Min(at, data.Length)..], counts, all, at, root);
        }

        return all;
    }

    private void Round(ReadOnlySpan<byte> data, int[] counts, byte[][]? all, long at, int? root)
    {
        var starts = new int[counts.Length];
        for (int i = 1; i < starts.Length; i++)
        {
            starts[i] = starts[i - 1] + counts[i - 1];
        }

        int own = counts[Rank];
        byte[] received = all is null ? [] : new byte[starts[^1] + counts[^1]];
        fixed (byte* source = data, target = received)
        {
            fixed (int* count = counts, start = starts)
            {
                byte* from = source;
                byte* to = target;
                int* many = count;
                int* places = start;
                Finish(root is null ? "MPI_Iallgatherv" : "MPI_Igatherv", [request => root is { } rank
                    ? _mpi.Gather(from, own, to, many, places, rank, _world, request)
                    : _mpi.AllGather(from, own, to, many, places, _world, request)]);
            }
        }

        for (int i = 0; all is not null && i < counts.Length; i++)
        {
            received.AsSpan(starts[i], counts[i]).CopyTo(all[i].AsSpan((int)Math.Min(at, all[i].Length)));
        }
    }

    private MpiStart[] Cut(long count, Func<long, int, MpiStart> call)
    {
        // No call for no values: every process has the same length, so all of them leave it out.
        var calls = new MpiStart[(count + CallElements - 1) / CallElements];
        for (int i = 0; i < calls.Length; i++)
        {
            long at = (long)i * CallElements;
            calls[i] = call(at, (int)Math.Min(CallElements, count - at));
        }

        return calls;
    }

    private void Finish(string name, MpiStart[] calls)
    {
        var operation = new MpiOperation(name, calls);
        _thread.Post(operation);
        Wait(operation);
    }

    private void Wait(MpiOperation operation)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            operation.Wait();
        }
        finally
        {
            Interlocked.Add(ref _waited, Stopwatch.GetElapsedTime(start).Ticks);
        }
    }
}
