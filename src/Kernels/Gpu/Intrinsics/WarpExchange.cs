using System.Runtime.InteropServices;
using ILGPU;

namespace Ldvc.Kernels.Gpu.Intrinsics;

/// <summary>
/// What warp-collective instructions do on the simulator, where every lane is a thread of the host: each lane writes its operands into a slot of
/// a table that belongs to lane 0, and all lanes read what they need. A pair of barriers around it makes the instruction as indivisible as on the card.
/// </summary>
internal static unsafe class WarpExchange
{
    private const int SlotWords = 8;

    [ThreadStatic]
    private static ulong* _table;

    /// <summary>Publishes the operands of the calling lane; the table holds <see cref="SlotWords"/> words a lane. Ends with <see cref="Close"/>.</summary>
    internal static ulong* Open(ReadOnlySpan<ulong> operands)
    {
        if (_table == null)
        {
            // One a thread, kept as long as the process: the simulator's threads live as long as its accelerator.
            _table = (ulong*)NativeMemory.Alloc(32 * SlotWords, sizeof(ulong));
        }

        ulong* table = (ulong*)Warp.Shuffle((ulong)_table, 0);
        operands.CopyTo(new Span<ulong>(Slot(table, Warp.LaneIdx), SlotWords));
        Warp.Barrier();
        return table;
    }

    /// <summary>The operands of a lane.</summary>
    internal static ulong* Slot(ulong* table, int lane) => table + (lane * SlotWords);

    /// <summary>No lane goes on before all have read.</summary>
    internal static void Close() => Warp.Barrier();
}
