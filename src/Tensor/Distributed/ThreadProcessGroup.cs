using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Ldvc.Tensors.Distributed;

/// <summary>
/// A group whose processes are threads of this one: for tests of what runs in several processes. Values are added in the order of the ranks. Ranks
/// that call different operations get an exception that names both, where a library would hang.
/// </summary>
internal sealed class ThreadProcessGroup : IProcessGroup
{
    private readonly ThreadExchange _exchange;
    private long _next;
    private long _waited;

    private ThreadProcessGroup(ThreadExchange exchange, int rank) => (_exchange, Rank) = (exchange, rank);

    public int Rank { get; }

    public int Size => _exchange.Size;

    public int LocalRank => Rank;

    public int LocalSize => Size;

    public string Description => $"{Size} threads of one process";

    public TimeSpan TimeInCommunication => new(Interlocked.Read(ref _waited));

    /// <summary>
    /// Runs a body as every rank, each on a thread of its own, and returns when all have ended. When one throws, the others fail at their next
    /// operation, and its exception is thrown here.
    /// </summary>
    internal static void Run(int size, Action<IProcessGroup> body)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        var exchange = new ThreadExchange(size);
        var threads = new Thread[size];
        for (int rank = 0; rank < size; rank++)
        {
            var group = new ThreadProcessGroup(exchange, rank);
            threads[rank] = new Thread(() =>
            {
                try
                {
                    body(group);
                    exchange.End(group.Rank);
                }
#pragma warning disable CA1031 // Whatever it is, it is thrown where the threads were started.
                catch (Exception e)
#pragma warning restore CA1031
                {
                    exchange.Fail(group.Rank, e);
                }
            })
            { IsBackground = true, Name = $"rank {rank}" };
            threads[rank].Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        if (exchange.Failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    public void Sum(Span<float> values) => Reduce(values, "sum of float", static (a, b) => a + b);

    public void Sum(Span<double> values) => Reduce(values, "sum of double", static (a, b) => a + b);

    public void Sum(Span<long> values) => Reduce(values, "sum of long", static (a, b) => a + b);

    public void Max(Span<double> values) => Reduce(values, "max of double", Math.Max);

    public void Max(Span<long> values) => Reduce(values, "max of long", Math.Max);

    public void Broadcast(Span<byte> data, int root)
    {
        GroupChecks.Root(root, Size);
        byte[][] all = Swap($"broadcast of {data.Length} bytes from {root}", data);
        all[root].CopyTo(data);
    }

    public byte[][]? Gather(ReadOnlySpan<byte> data, int root)
    {
        GroupChecks.Root(root, Size);
        byte[][] all = Swap($"gather to {root}", data);
        return Rank == root ? [.. all.Select(part => part.ToArray())] : null;
    }

    public byte[][] AllGather(ReadOnlySpan<byte> data) => [.. Swap("gather to all", data).Select(part => part.ToArray())];

    public void Barrier() => Swap("barrier", default);

    public IPendingSum BeginSum(Memory<float> values)
    {
        long place = Begin($"begun sum of {values.Length} float", MemoryMarshal.AsBytes(values.Span));
        return new PendingSum(() => Add(Wait(place), values.Span, static (a, b) => a + b));
    }

    public IPendingSum BeginSum(Tensor values)
    {
        GroupChecks.Summable(values);
        return HostSum.Begin(this, values);
    }

    public void Use(Device device) => Swap("use of a device", default);

    [DoesNotReturn]
    public void Abort(int exitCode, string? sentence)
    {
        var aborted = new ProcessGroupException("abort", Rank, $"exit code {exitCode}, {sentence}");
        _exchange.Fail(Rank, aborted);
        throw aborted;
    }

    public void Dispose()
    {
    }

    private static void Add<T>(byte[][] all, Span<T> values, Func<T, T, T> join)
        where T : unmanaged, INumber<T>
    {
        MemoryMarshal.Cast<byte, T>(all[0]).CopyTo(values);
        foreach (byte[] part in all.Skip(1))
        {
            ReadOnlySpan<T> other = MemoryMarshal.Cast<byte, T>(part);
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = join(values[i], other[i]);
            }
        }
    }

    private void Reduce<T>(Span<T> values, string operation, Func<T, T, T> join)
        where T : unmanaged, INumber<T> => Add(Swap($"{operation}, {values.Length} values", MemoryMarshal.AsBytes(values)), values, join);

    private byte[][] Swap(string operation, ReadOnlySpan<byte> data) => Wait(Begin(operation, data));

    private long Begin(string operation, ReadOnlySpan<byte> data)
    {
        long place = _next++;
        _exchange.Put(place, Rank, operation, data.ToArray());
        return place;
    }

    private byte[][] Wait(long place)
    {
        long start = TimeProvider.System.GetTimestamp();
        byte[][] all = _exchange.Take(place, Rank);
        Interlocked.Add(ref _waited, TimeProvider.System.GetElapsedTime(start).Ticks);
        return all;
    }
}
