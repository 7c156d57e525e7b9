using System.Numerics;

namespace Ldvc.Ptx.Machine;

/// <summary>
/// 32 threads that run together. Where they disagree on a branch, one side runs after the other, and both wait for each other where all ways meet.
/// Only lanes that take part are touched.
/// </summary>
internal sealed class PtxWarp
{
    private const int Size = 32;

    private readonly PtxGroup _group;
    private readonly PtxProgram _program;
    private readonly int _number;
    private readonly ulong[] _registers;
    private readonly Stack<(int Next, uint Lanes, int Meeting)> _ways = new();
    private readonly List<List<(long To, byte[] Bytes)>>[] _copies =
        [.. Enumerable.Range(0, Size).Select(_ => new List<List<(long, byte[])>> { new() })];
    private uint _live;
    private uint _active;
    private int _epoch;

    internal PtxWarp(PtxGroup group, PtxProgram program, int number, int threads)
    {
        (_group, _program, _number) = (group, program, number);
        _registers = new ulong[program.Registers * Size];
        _live = threads >= Size ? uint.MaxValue : (1u << threads) - 1;
        _ways.Push((0, _live, -1));
    }

    internal ulong this[int register, int lane]
    {
        get => _registers[(register * Size) + lane];
        set => _registers[(register * Size) + lane] = value;
    }

    private PtxStep Step => _program.Steps[_ways.Peek().Next];

    /// <summary>Runs to the next barrier of the group, true, or to the end, false.</summary>
    /// <exception cref="PtxRunException">A thread did what is undefined.</exception>
    internal bool Run()
    {
        while (Top() is var (next, lanes, meeting) && lanes != 0)
        {
            var step = _program.Steps[next];
            uint taking = step.Guard < 0 ? lanes : lanes & Holding(step);
            switch (step.Control)
            {
                case PtxControl.Branch:
                    Branch(step, next, lanes, taking, meeting);
                    break;
                case PtxControl.Return:
                    _live &= ~taking;
                    Go(next + 1, lanes, meeting);
                    break;
                case PtxControl.Barrier:
                    if (taking != _live)
                    {
                        throw Error("not all threads of the warp come to this barrier", BitOperations.TrailingZeroCount(_live & ~taking));
                    }

                    Go(next + 1, lanes, meeting);
                    return true;
                default:
                    _active = taking;
                    step.Run!(this);
                    Go(next + 1, lanes, meeting);
                    break;
            }
        }

        return false;
    }

    /// <summary>Does something for every lane that takes part.</summary>
    internal void Each(Action<int> what)
    {
        for (uint left = _active; left != 0; left &= left - 1)
        {
            what(BitOperations.TrailingZeroCount(left));
        }
    }

    /// <summary>A register's value in all lanes.</summary>
    internal T[] Lanes<T>(int register, Func<ulong, T> of) => [.. _registers.Skip(register * Size).Take(Size).Select(of)];

    /// <summary>For instructions that need all lanes.</summary>
    internal void NeedAll()
    {
        if (_active != uint.MaxValue)
        {
            throw Error("a lane is missing", BitOperations.TrailingZeroCount(~_active));
        }
    }

    /// <summary>bar.warp.sync.</summary>
    internal void Synchronise()
    {
        if (_active != _live)
        {
            throw Error("not all threads of the warp come to its barrier", BitOperations.TrailingZeroCount(_live & ~_active));
        }

        _epoch++;
    }

    internal ulong Special(string name, int lane) => name switch
    {
        "%tid.x" => (ulong)((_number * Size) + lane),
        "%tid.y" or "%tid.z" => 0,
        "%ntid.x" => (ulong)_group.Threads,
        "%ntid.y" or "%ntid.z" => 1,
        "%laneid" => (ulong)lane,
        "%warpid" => (ulong)_number,
        "%ctaid.x" => (ulong)_group.Place.X,
        "%ctaid.y" => (ulong)_group.Place.Y,
        "%ctaid.z" => (ulong)_group.Place.Z,
        "%nctaid.x" => (ulong)_group.Grid.X,
        "%nctaid.y" => (ulong)_group.Grid.Y,
        "%nctaid.z" => (ulong)_group.Grid.Z,
        _ => throw Error($"the machine does not know {name}", lane),
    };

    internal ulong Argument(int offset, int bytes) => _group.Argument(offset, bytes);

    /// <summary>The addresses of an access, by lane.</summary>
    internal long[] Addresses(PtxAddress address, int bytes, bool shared)
    {
        var addresses = new long[Size];
        Each(lane =>
        {
            addresses[lane] = address.Of(this, lane);
            if (addresses[lane] % bytes != 0)
            {
                throw Error($"address {addresses[lane]} is no multiple of {bytes}", lane);
            }
        });
        _group.Traffic?.Count(Step.Text.Line, shared ? null : _group.Global.Phase, addresses, _active, bytes);
        return addresses;
    }

    internal ulong Read(bool shared, long address, int bytes, int lane)
    {
        ulong value = shared
            ? _group.Shared.Read(address, bytes, Now(lane), out string? problem)
            : _group.Global.Read(address, bytes, Now(lane), out problem);
        return problem is null ? value : throw Error(problem, lane);
    }

    internal void Write(bool shared, long address, int bytes, ulong value, int lane)
    {
        if ((shared ? _group.Shared.Write(address, bytes, value, Now(lane)) : _group.Global.Write(address, bytes, value, Now(lane))) is { } problem)
        {
            throw Error(problem, lane);
        }
    }

    /// <summary>Changes a word of device memory at once; returns what it was.</summary>
    internal ulong Change(long address, Func<ulong, ulong> to, int lane)
    {
        ulong before = _group.Global.Change(address, to, Now(lane), out string? problem);
        return problem is null ? before : throw Error(problem, lane);
    }

    /// <summary>Starts a copy from device memory to shared memory; beyond the bytes that exist come zeros.</summary>
    internal void Copy(int lane, long to, long from, int bytes, int exist)
    {
        if (exist < 0 || exist > bytes)
        {
            throw Error($"{exist} of {bytes} bytes", lane);
        }

        var data = new byte[bytes];
        for (int i = 0; i < exist; i++)
        {
            data[i] = (byte)Read(shared: false, from + i, 1, lane);
        }

        if (_group.Shared.Await(to, bytes, Now(lane)) is { } problem)
        {
            throw Error(problem, lane);
        }

        _copies[lane][^1].Add((to, data));
    }

    /// <summary>Ends a lane's group of copies.</summary>
    internal void Commit(int lane) => _copies[lane].Add([]);

    /// <summary>Waits until at most so many of a lane's committed groups are on their way.</summary>
    internal void Wait(int lane, int pending)
    {
        while (_copies[lane].Count - 1 > pending)
        {
            foreach (var (to, bytes) in _copies[lane][0])
            {
                _group.Shared.Arrive(to, bytes, Now(lane));
            }

            _copies[lane].RemoveAt(0);
        }
    }

    private PtxMoment Now(int lane) => new(_group.Number, (_number * Size) + lane, _group.Epoch, _epoch);

    // The way that runs: those that have ended, or are where they wait for the others, are taken off.
    private (int Next, uint Lanes, int Meeting) Top()
    {
        while (_ways.TryPeek(out var top))
        {
            if ((top.Lanes & _live) != 0 && top.Next != top.Meeting)
            {
                return top with { Lanes = top.Lanes & _live };
            }

            _ways.Pop();
        }

        return default;
    }

    private void Go(int next, uint lanes, int meeting)
    {
        _ways.Pop();
        _ways.Push((next, lanes, meeting));
    }

    private void Branch(PtxStep step, int next, uint lanes, uint taking, int meeting)
    {
        if (taking == 0 || taking == lanes)
        {
            Go(taking == 0 ? next + 1 : step.Target, lanes, meeting);
            return;
        }

        if (step.Text.Opcode == "bra.uni")
        {
            throw Error("threads disagree on a branch that is marked as uniform", BitOperations.TrailingZeroCount(taking));
        }

        // Where they meet is where they have been going to meet anyway: those below on the stack wait there already.
        _ways.Pop();
        if (step.Meeting != meeting)
        {
            _ways.Push((step.Meeting, lanes, meeting));
        }

        _ways.Push((step.Target, taking, step.Meeting));
        _ways.Push((next + 1, lanes & ~taking, step.Meeting));
    }

    private uint Holding(PtxStep step)
    {
        uint holding = 0;
        for (int lane = 0; lane < Size; lane++)
        {
            holding |= (this[step.Guard, lane] != 0) != step.Text.IsGuardNegated ? 1u << lane : 0;
        }

        return holding;
    }

    private PtxRunException Error(string what, int lane) =>
        new($"{_program.Kernel.Name}, line {Step.Text.Line}, group ({_group.Place.X}, {_group.Place.Y}, {_group.Place.Z}), thread "
            + $"{(_number * Size) + lane}: {what}: {Step.Text}");
}
