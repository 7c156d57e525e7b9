using ILGPU;
using ILGPU.Runtime;

namespace Ldvc.Tensors.Gpu;

/// <summary>One buffer of the arena and its free ranges, in order of address, neighbours merged.</summary>
internal sealed class GpuChunk
{
    private readonly List<(long Start, long Length)> _free = [];

    internal GpuChunk(MemoryBuffer1D<byte, Stride1D.Dense> buffer, int index)
    {
        (Buffer, Index) = (buffer, index);
        _free.Add((0, buffer.LengthInBytes));
    }

    internal MemoryBuffer1D<byte, Stride1D.Dense> Buffer { get; }

    /// <summary>All of it.</summary>
    internal ArrayView<byte> Memory => Buffer.View;

    /// <summary>Position in the arena; kernels that take tables of tensors name chunks by it.</summary>
    internal int Index { get; }

    internal long Bytes => Buffer.LengthInBytes;

    internal bool IsEmpty => _free.Count == 1 && _free[0].Length == Bytes;

    /// <summary>Takes the smallest free range that is large enough; -1 when there is none.</summary>
    internal long Take(long bytes)
    {
        int best = -1;
        for (int i = 0; i < _free.Count; i++)
        {
            if (_free[i].Length >= bytes && (best < 0 || _free[i].Length < _free[best].Length))
            {
                best = i;
            }
        }

        if (best < 0)
        {
            return -1;
        }

        var (start, length) = _free[best];
        if (length == bytes)
        {
            _free.RemoveAt(best);
        }
        else
        {
            _free[best] = (start + bytes, length - bytes);
        }

        return start;
    }

    /// <summary>Gives a range back.</summary>
    internal void Return(long start, long length)
    {
        int at = 0;
        while (at < _free.Count && _free[at].Start < start)
        {
            at++;
        }

        bool before = at > 0 && _free[at - 1].Start + _free[at - 1].Length == start;
        bool after = at < _free.Count && start + length == _free[at].Start;
        switch (before, after)
        {
            case (true, true):
                _free[at - 1] = (_free[at - 1].Start, _free[at - 1].Length + length + _free[at].Length);
                _free.RemoveAt(at);
                break;
            case (true, false):
                _free[at - 1] = (_free[at - 1].Start, _free[at - 1].Length + length);
                break;
            case (false, true):
                _free[at] = (start, length + _free[at].Length);
                break;
            default:
                _free.Insert(at, (start, length));
                break;
        }
    }
}
