using System.Runtime.InteropServices;
using ILGPU;

namespace Ldvc.Kernels.Gpu.Intrinsics;

/// <summary>
/// What warp-collective instructions do on the simulator, where every lane is a thread of the host: each lane writes its operands into a slot of
/// a table that belongs to lane 0, and after a barrier all lanes read what they need. Barriers between threads are what the simulator's time goes
/// into, so there is one an instruction: lanes learn the table's address once, by a shuffle, and two tables take turns, so that a slot is written
/// again only after a barrier that all its readers have passed.
/// </summary>
internal static unsafe class WarpExchange
{
    private const int Lanes = 32;
    private const int SlotWords = 8;

    // The last word of a slot: which instruction its operands belong to.
    private const int Number = SlotWords - 1;

    [ThreadStatic]
    private static ulong* _tables;

    [ThreadStatic]
    private static ulong _count;

    /// <summary>Publishes up to seven operands of the calling lane and returns the table with all lanes' ones.</summary>
    /// <exception cref="InvalidOperationException">The lanes of a warp have not met in the same instructions.</exception>
    internal static ulong* Exchange(ReadOnlySpan<ulong> operands)
    {
        if (_tables == null)
        {
            // One a thread, kept as long as the process: a simulator's threads keep their places in their warps as long as it lives.
            _tables = (ulong*)NativeMemory.AllocZeroed(2 * Lanes * SlotWords, sizeof(ulong));
            _tables = (ulong*)Warp.Shuffle((ulong)_tables, 0);
        }

        _count++;
        ulong* table = _tables + (_count % 2 * Lanes * SlotWords);
        ulong* slot = Slot(table, Warp.LaneIdx);
        operands.CopyTo(new Span<ulong>(slot, Number));
        slot[Number] = _count;
        Warp.Barrier();
        for (int lane = 0; lane < Lanes; lane++)
        {
            if (Slot(table, lane)[Number] != _count)
            {
                throw new InvalidOperationException(
                    $"lane {lane} has met {Slot(table, lane)[Number]} collective instructions, lane {Warp.LaneIdx} {_count}");
            }
        }

        return table;
    }

    /// <summary>The operands of a lane.</summary>
    internal static ulong* Slot(ulong* table, int lane) => table + (lane * SlotWords);
}
