using System.Buffers.Binary;
using System.Security.Cryptography;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Inspection;

/// <summary>What reading one picture and its mask shows.</summary>
/// <param name="Id">The picture's name in its part.</param>
/// <param name="Width">Columns; 0 when the picture cannot be read.</param>
/// <param name="Height">Rows.</param>
/// <param name="Content">Equal for pictures whose size and decoded pixels are equal; null when it cannot be read.</param>
/// <param name="Mask">Null when it cannot be read.</param>
/// <param name="Problems">A sentence for each thing that is wrong with the files.</param>
internal sealed record PictureSurvey(string Id, int Width, int Height, UInt128? Content, StoredMask? Mask, IReadOnlyList<string> Problems)
{
    /// <summary>Reads picture <paramref name="index"/> of a data set.</summary>
    internal static PictureSurvey Of(SegmentationDataset dataset, int index)
    {
        var problems = new List<string>();
        RgbImage? picture = Try(() => dataset.ReadImage(index), problems);
        StoredMask? mask = Try(() => dataset.ReadStored(index), problems);
        if (picture is not null && mask is not null && (picture.Width, picture.Height) != (mask.Width, mask.Height))
        {
            problems.Add($"{mask.Source}: {mask.Width}x{mask.Height} pixels, expected {picture.Width}x{picture.Height} as in its picture"
                + $"{MaskSize.Hint(picture, mask.Width, mask.Height)}");
        }

        return new PictureSurvey(
            dataset.GetId(index), picture?.Width ?? 0, picture?.Height ?? 0, picture is null ? null : Digest(picture), mask, problems);
    }

    private static T? Try<T>(Func<T> read, List<string> problems)
        where T : class
    {
        try
        {
            return read();
        }
        catch (InputException e)
        {
            problems.Add(e.Message);
            return null;
        }
    }

    // Of the decoded pixels: the same picture in another file format without loss, or with other metadata, is the same picture.
    private static UInt128 Digest(RgbImage picture)
    {
        Span<byte> size = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(size, picture.Width);
        BinaryPrimitives.WriteInt32LittleEndian(size[4..], picture.Height);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(size);
        hash.AppendData(picture.Pixels);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash.GetHashAndReset());
    }
}
