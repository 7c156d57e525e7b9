using System.Buffers.Binary;

namespace Ldvc.Ptx.Machine;

/// <summary>A group of threads with its shared memory. Warps run one after the other, from barrier to barrier.</summary>
internal sealed class PtxGroup
{
    private readonly byte[] _arguments;
    private readonly PtxWarp[] _warps;

    internal PtxGroup(
        PtxProgram program,
        byte[] arguments,
        PtxGlobalMemory global,
        (int X, int Y, int Z) place,
        (int X, int Y, int Z) grid,
        int threads,
        PtxTraffic? traffic = null)
    {
        Traffic = traffic;
        (_arguments, Global, Place, Grid, Threads) = (arguments, global, place, grid, threads);
        Number = place.X + (grid.X * (place.Y + (grid.Y * place.Z)));
        Shared = new PtxSharedMemory(program.SharedBytes, program.Unit);
        _warps = [.. Enumerable.Range(0, (threads + 31) / 32).Select(i => new PtxWarp(this, program, i, threads - (32 * i)))];
    }

    internal (int X, int Y, int Z) Place { get; }

    internal (int X, int Y, int Z) Grid { get; }

    internal int Number { get; }

    internal int Threads { get; }

    /// <summary>Where accesses are counted, if somebody wants to know.</summary>
    internal PtxTraffic? Traffic { get; }

    internal PtxGlobalMemory Global { get; }

    internal PtxSharedMemory Shared { get; }

    /// <summary>Barriers so far.</summary>
    internal int Epoch { get; private set; }

    /// <summary>Runs all threads to their end.</summary>
    /// <exception cref="PtxRunException">One did what is undefined.</exception>
    internal void Run()
    {
        while (true)
        {
            bool[] waiting = [.. _warps.Select(warp => warp.Run())];
            if (!waiting.Contains(true))
            {
                return;
            }

            if (waiting.Contains(false))
            {
                throw new PtxRunException(
                    $"group {Number}: warp {Array.IndexOf(waiting, false)} has ended, warp {Array.IndexOf(waiting, true)} waits at a barrier");
            }

            Epoch++;
        }
    }

    internal ulong Argument(int offset, int bytes) => bytes switch
    {
        1 => _arguments[offset],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(_arguments.AsSpan(offset)),
        4 => BinaryPrimitives.ReadUInt32LittleEndian(_arguments.AsSpan(offset)),
        _ => BinaryPrimitives.ReadUInt64LittleEndian(_arguments.AsSpan(offset)),
    };
}
