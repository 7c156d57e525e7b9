using System.Security.Cryptography;
using System.Text;

namespace Ldvc.Data;

/// <summary>
/// Which pictures a data set has: a digest of their names in order. A run that is resumed must have the same ones, as it draws them by number.
/// </summary>
internal static class SampleDigest
{
    /// <summary>SHA-256 of the names, in hexadecimal.</summary>
    public static string Of(SegmentationDataset dataset)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < dataset.Count; i++)
        {
            // No name holds a line break, so two lists have one digest only when they are equal.
            hash.AppendData(Encoding.UTF8.GetBytes(dataset.GetId(i) + "\n"));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
