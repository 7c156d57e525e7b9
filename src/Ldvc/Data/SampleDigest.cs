using System.Security.Cryptography;
using System.Text;

namespace Ldvc.Data;

/// <summary>
/// Which pictures a data set has: a digest of their names in order, of the masks that a list gives them in place of their own, and of what colours
/// mean. A run that is resumed must have the same ones, as it draws them by number.
/// </summary>
internal static class SampleDigest
{
    /// <summary>SHA-256 of the names, in hexadecimal.</summary>
    public static string Of(SegmentationDataset dataset)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (dataset.LabelMeaning is { } meaning)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(meaning));
        }

        for (int i = 0; i < dataset.Count; i++)
        {
            // No name holds a line break, so two lists have one digest only when they are equal.
            string? mask = dataset.PairedMask(i);
            hash.AppendData(Encoding.UTF8.GetBytes(dataset.GetId(i) + (mask is null ? "\n" : $"\t{mask}\n")));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
