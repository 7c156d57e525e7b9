using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Ldvc.Tensors.Distributed.Mpi;

/// <summary>
/// How the processes notice that one is gone or wants the job to end, on a communicator of its own. Each sends a beat to the next one in a ring every
/// second; a process that has heard nothing for long says that its neighbour is gone. MPI itself does not: when no launcher ends the job, the others
/// would wait for ever. A process that fails sends rank 0 a notice with its sentence.
/// </summary>
internal sealed unsafe class MpiPulse
{
    private const int BeatTag = 1;
    private const int NoticeTag = 2;
    private const int NoticeBytes = 4096;
    private const int Farewell = 1;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    // After a pause of its own, of a debugger or a sleeping machine, a process cannot say that the others were silent.
    private static readonly TimeSpan s_ownPause = TimeSpan.FromSeconds(5);

    // All are there when they say farewell.
    private static readonly TimeSpan s_farewell = TimeSpan.FromSeconds(20);

    private readonly MpiLibrary _mpi;
    private readonly int _rank;
    private readonly int _size;
    private readonly TimeSpan _silence;
    private readonly nint _comm;

    // MPI writes and reads these while nothing of the program runs: not memory that a garbage collection moves.
    private readonly int* _in = (int*)NativeMemory.AllocZeroed(sizeof(int));
    private readonly int* _out = (int*)NativeMemory.AllocZeroed(sizeof(int));
    private readonly byte* _notice = (byte*)NativeMemory.AllocZeroed(NoticeBytes);
    private nint _receiving;
    private nint _sending;
    private nint _telling;
    private bool _isSending;
    private bool _isTelling;
    private bool _parted;
    private long _heard = Stopwatch.GetTimestamp();
    private long _looked = Stopwatch.GetTimestamp();
    private long _sent;
    private long _told;

    /// <summary>Joins the ring; a call of all processes.</summary>
    /// <param name="mpi">The library, initialised.</param>
    /// <param name="rank">This process.</param>
    /// <param name="size">All processes, at least two.</param>
    /// <param name="silence">How long the neighbour may be silent; zero for any time.</param>
    internal MpiPulse(MpiLibrary mpi, int rank, int size, TimeSpan silence)
    {
        (_mpi, _rank, _size, _silence) = (mpi, rank, size, silence);
        nint comm = 0;
        mpi.Check(mpi.CommDup(mpi.Abi.World, &comm), "MPI_Comm_dup", rank);
        mpi.Check(mpi.ReturnErrors(comm), "MPI_Comm_set_errhandler", rank);
        _comm = comm;
        Receive();
    }

    private int Before => (_rank + _size - 1) % _size;

    private int After => (_rank + 1) % _size;

    /// <summary>Sends the beat when it is time, hears the neighbour's.</summary>
    /// <exception cref="ProcessGroupException">The neighbour has been silent for too long.</exception>
    internal void Beat()
    {
        if (Stopwatch.GetElapsedTime(_looked) > s_ownPause)
        {
            _heard = Stopwatch.GetTimestamp();
        }

        _looked = Stopwatch.GetTimestamp();
        Hear();
        if (HasSent() && Stopwatch.GetElapsedTime(_sent) >= s_interval)
        {
            Send(0);
        }

        if (_silence > TimeSpan.Zero && Stopwatch.GetElapsedTime(_heard) > _silence)
        {
            throw Silent(_silence);
        }
    }

    /// <summary>At rank 0: what another process says, if one wants the job to end.</summary>
    internal MpiAbort? Notice()
    {
        int there = 0;
        if (_rank != 0 || _mpi.ProbeAny(NoticeTag, _comm, &there) != 0 || there == 0 || _mpi.ReceiveAny(_notice, NoticeBytes, NoticeTag, _comm) != 0)
        {
            return null;
        }

        var bytes = new ReadOnlySpan<byte>(_notice, NoticeBytes);
        int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        return new MpiAbort(
            BinaryPrimitives.ReadInt32LittleEndian(bytes),
            Encoding.UTF8.GetString(bytes.Slice(12, Math.Clamp(length, 0, NoticeBytes - 12))),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]),
            _size);
    }

    /// <summary>Tells rank 0 why the job is to end; false when rank 0 had its time and did nothing.</summary>
    internal bool Tell(MpiAbort abort)
    {
        if (_told == 0)
        {
            _told = Stopwatch.GetTimestamp();
            var bytes = new Span<byte>(_notice, NoticeBytes);
            BinaryPrimitives.WriteInt32LittleEndian(bytes, abort.ExitCode);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], abort.Rank);
            Encoding.UTF8.GetEncoder().Convert(abort.Sentence, bytes[12..], true, out _, out int length, out _);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], length);
            nint request = 0;
            _isTelling = _mpi.Send(_notice, NoticeBytes, 0, NoticeTag, _comm, &request) == 0;
            _telling = request;
        }

        if (_isTelling)
        {
            nint request = _telling;
            int sent = 0;
            _isTelling = _mpi.Test(&request, &sent) == 0 && sent == 0;
            _telling = request;
        }

        return Stopwatch.GetElapsedTime(_told) < MpiAbort.Grace;
    }

    /// <summary>Leaves the ring when all do, so that no message is under way when MPI ends; still watches meanwhile.</summary>
    /// <param name="heed">Called with what another process says that wants the job to end after all.</param>
    /// <exception cref="ProcessGroupException">A process is gone.</exception>
    internal void Part(Action<MpiAbort> heed)
    {
        nint begun = 0;
        _mpi.Check(_mpi.Barrier(_comm, &begun), "MPI_Ibarrier", _rank);
        nint barrier = begun;
        Until(Timeout.InfiniteTimeSpan, () =>
        {
            nint request = barrier;
            int all = 0;
            _mpi.Check(_mpi.Test(&request, &all), "MPI_Ibarrier", _rank);
            barrier = request;
            Beat();
            if (Notice() is { } notice)
            {
                heed(notice);
            }

            return all != 0;
        });
        Until(s_farewell, HasSent);
        Send(Farewell);
        Until(s_farewell, () =>
        {
            Hear();
            return _parted;
        });
        Until(s_farewell, HasSent);
        NativeMemory.Free(_in);
        NativeMemory.Free(_out);
        NativeMemory.Free(_notice);
    }

    private void Until(TimeSpan limit, Func<bool> done)
    {
        long start = Stopwatch.GetTimestamp();
        while (!done())
        {
            TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
            if (limit > TimeSpan.Zero && elapsed > limit)
            {
                throw Silent(limit);
            }

            MpiPause.After(elapsed, awaited: true);
        }
    }

    private ProcessGroupException Silent(TimeSpan time) =>
        new("heartbeat", _rank, $"rank {Before} has given no sign of life for {time.TotalSeconds:0} s; it was killed, hangs, or cannot be reached");

    private void Hear()
    {
        nint request = _receiving;
        int arrived = 0;
        while (!_parted)
        {
            _mpi.Check(_mpi.Test(&request, &arrived), "heartbeat", _rank);
            _receiving = request;
            if (arrived == 0)
            {
                return;
            }

            _heard = Stopwatch.GetTimestamp();
            _parted = *_in == Farewell;
            if (!_parted)
            {
                Receive();
                request = _receiving;
            }
        }
    }

    private void Receive()
    {
        nint request = 0;
        _mpi.Check(_mpi.BeginReceive(_in, sizeof(int), Before, BeatTag, _comm, &request), "heartbeat", _rank);
        _receiving = request;
    }

    private bool HasSent()
    {
        if (_isSending)
        {
            nint request = _sending;
            int sent = 0;
            _mpi.Check(_mpi.Test(&request, &sent), "heartbeat", _rank);
            (_sending, _isSending) = (request, sent == 0);
        }

        return !_isSending;
    }

    private void Send(int message)
    {
        *_out = message;
        nint request = 0;
        _mpi.Check(_mpi.Send(_out, sizeof(int), After, BeatTag, _comm, &request), "heartbeat", _rank);
        (_sending, _isSending, _sent) = (request, true, Stopwatch.GetTimestamp());
    }
}
