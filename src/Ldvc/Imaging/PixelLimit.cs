using Ldvc.Tensors;

namespace Ldvc.Imaging;

/// <summary>
/// How many pixels a file may unfold to, asked of its header before memory is taken. A few kilobytes of PNG can stand for hundreds of megapixels, so
/// beyond what any small file may have, every 16 pixels need a byte: photographs have one for each 2 to 12.
/// </summary>
internal static class PixelLimit
{
    /// <summary>What a file of any size may have.</summary>
    internal const long Free = 64_000_000;

    private const long PerByte = 16;

    /// <summary>Refuses a header's size.</summary>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="fileBytes">Bytes of the file.</param>
    /// <param name="max">A limit of the caller's own.</param>
    /// <param name="name">What to call the picture.</param>
    /// <exception cref="InputException">There are more pixels, or none.</exception>
    internal static void Check(long width, long height, long fileBytes, long max, string name)
    {
        long most = Math.Min(max, Free + (PerByte * fileBytes));
        if (width < 1 || height < 1 || height > most / width)
        {
            string why = most < max ? $" in a file of {fileBytes} bytes" : "";
            throw new InputException($"{name}: {width}x{height} pixels, expected at least 1x1 and at most {most} pixels in all{why}");
        }
    }
}
