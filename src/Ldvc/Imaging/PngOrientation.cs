using System.Buffers.Binary;

namespace Ldvc.Imaging;

/// <summary>The orientation that a PNG's eXIf chunk gives: viewers show such a picture turned, so that is how its mask was drawn.</summary>
internal static class PngOrientation
{
    private const int OrientationTag = 0x0112;

    /// <summary>
    /// EXIF's 1..8; 1, upright, when the file is no PNG, has no such chunk, or the chunk is damaged (as viewers do, it is not an error).
    /// </summary>
    public static int Of(ReadOnlySpan<byte> file)
    {
        if (!file.StartsWith(PngChunks.Signature))
        {
            return 1;
        }

        ReadOnlySpan<byte> rest = file[PngChunks.Signature.Length..];
        while (rest.Length >= 12)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(rest);
            if (length > rest.Length - 12)
            {
                return 1;
            }

            if (rest.Slice(4, 4).SequenceEqual("eXIf"u8))
            {
                return FromExif(rest.Slice(8, (int)length));
            }

            rest = rest[(12 + (int)length)..];
        }

        return 1;
    }

    // A TIFF header, then the first directory: entries of 12 bytes (tag, type, count, value).
    private static int FromExif(ReadOnlySpan<byte> exif)
    {
        // Some writers keep the six bytes that EXIF begins with in a JPEG.
        exif = exif.StartsWith("Exif\0\0"u8) ? exif[6..] : exif;
        bool little = exif.StartsWith("II"u8);
        if (exif.Length < 10 || !(little || exif.StartsWith("MM"u8)) || Short(exif[2..], little) != 42)
        {
            return 1;
        }

        uint start = little ? BinaryPrimitives.ReadUInt32LittleEndian(exif[4..]) : BinaryPrimitives.ReadUInt32BigEndian(exif[4..]);
        if (start > exif.Length - 2)
        {
            return 1;
        }

        ReadOnlySpan<byte> entries = exif[((int)start + 2)..];
        int count = Math.Min(Short(exif[(int)start..], little), entries.Length / 12);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> entry = entries.Slice(12 * i, 12);
            if (Short(entry, little) == OrientationTag)
            {
                int value = Short(entry[8..], little);
                return value is >= 1 and <= 8 ? value : 1;
            }
        }

        return 1;
    }

    private static int Short(ReadOnlySpan<byte> data, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(data) : BinaryPrimitives.ReadUInt16BigEndian(data);
}
