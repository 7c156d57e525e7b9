namespace Ldvc.Ptx.Machine;

/// <summary>Who touches memory: a thread at a moment, which is counted in barriers of its group and of its warp.</summary>
/// <param name="Group">The group's number in the grid.</param>
/// <param name="Thread">The thread's number in the group.</param>
/// <param name="Epoch">Barriers of the group so far.</param>
/// <param name="WarpEpoch">Barriers of the warp so far.</param>
internal readonly record struct PtxMoment(int Group, int Thread, int Epoch, int WarpEpoch)
{
    internal int Warp => Thread >> 5;

    /// <summary>Whether what the other did comes before this for sure.</summary>
    internal bool IsAfter(in PtxMoment other) =>
        Group == other.Group && (Thread == other.Thread || Epoch != other.Epoch || (Warp == other.Warp && WarpEpoch != other.WarpEpoch));
}

/// <summary>
/// The last accesses of a piece of memory. Two accesses of different threads, one of them a write, with no barrier between them are a race, whatever
/// the order was.
/// </summary>
internal struct PtxTrace
{
    private bool _written;
    private bool _changed;
    private bool _read;
    private PtxMoment _writer;
    private PtxMoment _reader;

    // A reader of another warp, or of another group, than the last reader, since the last write.
    private PtxMoment _otherReader;
    private bool _readByOthers;

    /// <summary>A copy is on its way here.</summary>
    internal bool Awaited { get; set; }

    /// <summary>A read; what is wrong with it, or null.</summary>
    internal string? Read(in PtxMoment now)
    {
        if (_written && !now.IsAfter(_writer))
        {
            return $"reads what thread {_writer.Thread} of group {_writer.Group} writes without a barrier between";
        }

        if (_read && (_reader.Group != now.Group || (_reader.Epoch == now.Epoch && _reader.Thread != now.Thread))
            && (!_readByOthers || _otherReader.Warp == now.Warp))
        {
            (_otherReader, _readByOthers) = (_reader, true);
        }

        (_reader, _read) = (now, true);
        return Awaited ? "reads what an asynchronous copy has not brought yet" : null;
    }

    /// <summary>A write; what is wrong with it, or null.</summary>
    internal string? Write(in PtxMoment now)
    {
        string? problem = _written
            && !now.IsAfter(_writer) ? $"writes what thread {_writer.Thread} of group {_writer.Group} writes without a barrier between"
            : _read && !now.IsAfter(_reader) ? $"writes what thread {_reader.Thread} of group {_reader.Group} reads without a barrier between"
            : _readByOthers && !now.IsAfter(_otherReader) ? $"writes what thread {_otherReader.Thread} of group {_otherReader.Group} reads without a "
                + "barrier between"
            : Awaited ? "writes where an asynchronous copy is on its way to"
            : null;
        (_writer, _written, _changed, _readByOthers, _read) = (now, true, false, false, false);
        return problem;
    }

    /// <summary>An atomic change; what is wrong with it, or null. Such changes may meet each other, but no read or write.</summary>
    internal string? Change(in PtxMoment now)
    {
        string? problem = _changed && !_read ? null : Write(now);
        (_writer, _changed) = (now, true);
        return problem;
    }

    /// <summary>What a copy brought is there, for the thread that waited.</summary>
    internal void Arrive(in PtxMoment now) => (Awaited, _writer, _written) = (false, now, true);
}
