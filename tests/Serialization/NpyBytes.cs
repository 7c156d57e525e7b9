using System.Text;

namespace Ldvc.Tests.Serialization;

/// <summary>NumPy files written byte by byte.</summary>
internal static class NpyBytes
{
    /// <summary>A file with a header text as it is, padded as NumPy pads it.</summary>
    public static byte[] Of(string header, int version, byte[] data)
    {
        int fixedBytes = version == 1 ? 10 : 12;
        string padded = header.PadRight((((fixedBytes + header.Length + 1 + 63) / 64) * 64) - fixedBytes - 1) + "\n";
        byte[] length = BitConverter.GetBytes(padded.Length);
        return [0x93, .. "NUMPY"u8, (byte)version, 0, .. version == 1 ? length[..2] : length, .. Encoding.Latin1.GetBytes(padded), .. data];
    }

    /// <summary>A 16-bit array [rows, width].</summary>
    public static byte[] Half(int rows, int width, Func<int, float> value) =>
        Of(
            $"{{'descr': '<f2', 'fortran_order': False, 'shape': ({rows}, {width}), }}",
            1,
            [.. Enumerable.Range(0, rows * width).SelectMany(i => BitConverter.GetBytes((Half)value(i)))]);
}
