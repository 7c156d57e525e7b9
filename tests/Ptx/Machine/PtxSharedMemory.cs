using System.Buffers.Binary;

namespace Ldvc.Ptx.Machine;

/// <summary>
/// Shared memory of a group. It starts as NaNs, which show where what nothing wrote is used; races, and reading what an asynchronous copy has not
/// brought yet are errors. Traces are kept for units of four bytes, or of one for kernels that access bytes.
/// </summary>
internal sealed class PtxSharedMemory
{
    private readonly byte[] _data;
    private readonly PtxTrace[] _traces;
    private readonly int _unit;

    /// <param name="bytes">How much.</param>
    /// <param name="unit">Bytes a trace.</param>
    internal PtxSharedMemory(int bytes, int unit)
    {
        (_data, _unit) = (new byte[bytes], unit);
        Array.Fill(_data, (byte)0xFF);
        _traces = new PtxTrace[(bytes + unit - 1) / unit];
    }

    internal ulong Read(long address, int bytes, in PtxMoment now, out string? problem)
    {
        problem = Outside(address, bytes);
        if (problem is not null)
        {
            return 0;
        }

        for (long i = address / _unit; i * _unit < address + bytes; i++)
        {
            problem ??= _traces[i].Read(now);
        }

        var from = _data.AsSpan((int)address);
        return bytes switch
        {
            1 => from[0],
            2 => BinaryPrimitives.ReadUInt16LittleEndian(from),
            4 => BinaryPrimitives.ReadUInt32LittleEndian(from),
            _ => BinaryPrimitives.ReadUInt64LittleEndian(from),
        };
    }

    internal string? Write(long address, int bytes, ulong value, in PtxMoment now)
    {
        if ((Outside(address, bytes) ?? Trace(address, bytes, now)) is { } problem)
        {
            return problem;
        }

        for (int i = 0; i < bytes; i++)
        {
            _data[address + i] = (byte)(value >> (8 * i));
        }

        return null;
    }

    /// <summary>A copy is on its way: nobody may touch its place until it has arrived, and what is there meanwhile is NaNs.</summary>
    internal string? Await(long address, int bytes, in PtxMoment now)
    {
        if ((Outside(address, bytes) ?? Trace(address, bytes, now)) is { } problem)
        {
            return problem;
        }

        _data.AsSpan((int)address, bytes).Fill(0xFF);
        for (long i = address / _unit; i * _unit < address + bytes; i++)
        {
            _traces[i].Awaited = true;
        }

        return null;
    }

    /// <summary>The copy is there for the thread that waited; others need a barrier.</summary>
    internal void Arrive(long address, ReadOnlySpan<byte> bytes, in PtxMoment now)
    {
        bytes.CopyTo(_data.AsSpan((int)address));
        for (long i = address / _unit; i * _unit < address + bytes.Length; i++)
        {
            _traces[i].Arrive(now);
        }
    }

    private string? Outside(long address, int bytes) =>
        address < 0 || address + bytes > _data.Length ? $"goes to byte {address} of {_data.Length} bytes of shared memory" : null;

    private string? Trace(long address, int bytes, in PtxMoment now)
    {
        string? problem = null;
        for (long i = address / _unit; i * _unit < address + bytes; i++)
        {
            problem ??= _traces[i].Write(now);
        }

        return problem;
    }
}
