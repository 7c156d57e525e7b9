using System.Runtime.InteropServices;

namespace Ldvc.Tensors;

public sealed partial class CpuDevice
{
    // More pieces than threads, so that an uneven load evens out; few enough that handing one out costs nothing beside it.
    private const int MaxPieces = 256;

    /// <summary>
    /// Runs a body for the items 0..count-1 on this device's threads, the caller's included, and returns when all are done. The items are cut into
    /// pieces; where the cuts lie depends on count and grain alone, not on the number of threads. Inside another call it runs on its caller's thread.
    /// </summary>
    /// <param name="count">Number of items, e.g. rows or elements.</param>
    /// <param name="body">Gets a piece: its first item, and the one after its last. Pieces run in any order, several at a time.</param>
    /// <param name="grain">The least number of items of a piece; some thousands where an item is one element.</param>
    /// <exception cref="InvalidOperationException">
    /// The body threw; its exception is the inner one. Pieces that had not begun are left out.
    /// </exception>
    public unsafe void ParallelFor(int count, Action<int, int> body, int grain = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfLessThan(grain, 1);
        ArgumentNullException.ThrowIfNull(body);
        int size = Math.Max(grain, (int)(((long)count + MaxPieces - 1) / MaxPieces));
        var call = new PieceCall(body);
        var handle = GCHandle.Alloc(call);
        try
        {
            var pieces = new Pieces { Call = GCHandle.ToIntPtr(handle), Count = count, Size = size };
            Threads.For((int)(((long)count + size - 1) / size), &pieces, &RunPiece);
        }
        finally
        {
            handle.Free();
        }

        if (call.Error is { } error)
        {
            throw new InvalidOperationException($"parallel for: a piece of {count} items failed: {error.Message}", error);
        }
    }

    private static unsafe void RunPiece(Pieces* pieces, int piece, int worker)
    {
        int first = piece * pieces->Size;
        ((PieceCall)GCHandle.FromIntPtr(pieces->Call).Target!).Run(first, (int)Math.Min(pieces->Count, (long)first + pieces->Size));
    }

    // What fails is told in one way, whether a team runs the pieces or the caller alone.
    private sealed class PieceCall(Action<int, int> body)
    {
        private Exception? _error;

        internal Exception? Error => Volatile.Read(ref _error);

        internal void Run(int first, int end)
        {
            if (Error is not null)
            {
                return;
            }

            try
            {
                body(first, end);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref _error, e, null);
            }
        }
    }

    private struct Pieces
    {
        internal nint Call;
        internal int Count;
        internal int Size;
    }
}
