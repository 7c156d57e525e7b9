using System.Runtime.InteropServices;

namespace Ldvc.Ptx.Machine;

/// <summary>
/// Device memory as a launch may use it: the views of its argument, which lie in memory of this process. Accesses outside of them, and races between
/// threads, are errors.
/// </summary>
internal sealed unsafe class PtxGlobalMemory
{
    private readonly List<(long Start, long End)> _views;
    private readonly Dictionary<long, PtxTrace> _traces = [];
    private (long Start, long End) _last;

    /// <summary>Memory of some views.</summary>
    /// <param name="views">First byte, and the one behind the last.</param>
    internal PtxGlobalMemory(IEnumerable<(long Start, long End)> views) => _views = [.. views.Where(view => view.End > view.Start)];

    /// <summary>How far its buffers lie from whole sectors here; a card's lie at multiples of 256 bytes.</summary>
    internal long Phase => _views.Count == 0 ? 0 : _views[0].Start % 32;

    internal ulong Read(long address, int bytes, in PtxMoment now, out string? problem)
    {
        problem = Outside(address, bytes) ?? Trace(address, bytes, now, write: false);
        return problem is null ? Word((byte*)address, bytes) : 0;
    }

    internal string? Write(long address, int bytes, ulong value, in PtxMoment now)
    {
        if ((Outside(address, bytes) ?? Trace(address, bytes, now, write: true)) is { } problem)
        {
            return problem;
        }

        for (int i = 0; i < bytes; i++)
        {
            ((byte*)address)[i] = (byte)(value >> (8 * i));
        }

        return null;
    }

    /// <summary>An atomic change of a word.</summary>
    internal ulong Change(long address, Func<ulong, ulong> to, in PtxMoment now, out string? problem)
    {
        problem = Outside(address, sizeof(uint)) ?? CollectionsMarshal.GetValueRefOrAddDefault(_traces, address, out _).Change(now);
        if (problem is not null)
        {
            return 0;
        }

        ulong before = Word((byte*)address, sizeof(uint));
        *(uint*)address = (uint)to(before);
        return before;
    }

    private static ulong Word(byte* at, int bytes) => bytes switch
    {
        1 => *at,
        2 => *(ushort*)at,
        4 => *(uint*)at,
        _ => *(ulong*)at,
    };

    private string? Outside(long address, int bytes)
    {
        if (address >= _last.Start && address + bytes <= _last.End)
        {
            return null;
        }

        foreach (var view in _views)
        {
            if (address >= view.Start && address + bytes <= view.End)
            {
                _last = view;
                return null;
            }
        }

        var near = _views.OrderBy(view => Math.Max(view.Start - address, address - view.End)).FirstOrDefault();
        return $"goes to device memory outside of every view: {bytes} bytes at {address - near.Start} of the nearest, which has "
            + $"{near.End - near.Start}";
    }

    private string? Trace(long address, int bytes, in PtxMoment now, bool write)
    {
        string? problem = null;
        for (int i = 0; i < bytes; i += 4)
        {
            ref var trace = ref CollectionsMarshal.GetValueRefOrAddDefault(_traces, address + i, out _);
            problem ??= write ? trace.Write(now) : trace.Read(now);
        }

        return problem;
    }
}
