using System.Buffers.Binary;

namespace Ldvc.Imaging;

/// <summary>
/// Whether a JPEG has its end. The decoder fills what is missing of a progressive one with what its earlier scans say, and of any with grey, without
/// a word.
/// </summary>
internal static class JpegEnd
{
    private const byte Mark = 0xFF;
    private const byte Stuffed = 0x00;
    private const byte Temporary = 0x01;
    private const byte FirstRestart = 0xD0;
    private const byte StartOfImage = 0xD8;
    private const byte EndOfImage = 0xD9;

    /// <summary>
    /// Whether the markers of the file lead to an end of the picture. Pictures in its notes (a thumbnail) have ends of their own, which do not count.
    /// </summary>
    public static bool IsThere(ReadOnlySpan<byte> file)
    {
        while (NextMarker(ref file) is { } marker)
        {
            switch (marker)
            {
                case EndOfImage:
                    return true;
                case Stuffed or Temporary or (>= FirstRestart and <= StartOfImage):
                    // Bytes of a scan, or a marker without a length.
                    break;
                default:
                    // What follows a scan's own segment is looked through for the next marker as any other place between two segments is.
                    if (file.Length < 2 || BinaryPrimitives.ReadUInt16BigEndian(file) > file.Length)
                    {
                        return false;
                    }

                    file = file[BinaryPrimitives.ReadUInt16BigEndian(file)..];
                    break;
            }
        }

        return false;
    }

    // Its second byte; any number of first ones may precede it.
    private static byte? NextMarker(ref ReadOnlySpan<byte> file)
    {
        int at = file.IndexOf(Mark);
        if (at < 0)
        {
            return null;
        }

        file = file[at..];
        int after = file.IndexOfAnyExcept(Mark);
        if (after < 0)
        {
            return null;
        }

        byte marker = file[after];
        file = file[(after + 1)..];
        return marker;
    }
}
