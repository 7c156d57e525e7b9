using System.Security.Cryptography;

namespace Ldvc.Tensors.Gpu;

/// <summary>
/// What a piece of work copies from the host: a graph of it would copy the same values for ever, so they must be the same every time.
/// </summary>
internal sealed class UploadLog
{
    private readonly List<(int Length, string Digest)> _copies = [];

    /// <summary>Takes a copy down.</summary>
    internal void Add(ReadOnlySpan<byte> values) => _copies.Add((values.Length, Convert.ToHexString(SHA256.HashData(values))));

    /// <summary>Says in which copy two logs differ; null when they do not.</summary>
    internal string? Difference(UploadLog other)
    {
        if (_copies.Count != other._copies.Count)
        {
            return $"{other._copies.Count} copies from the host after {_copies.Count}";
        }

        for (int i = 0; i < _copies.Count; i++)
        {
            if (_copies[i] != other._copies[i])
            {
                return $"{other._copies[i].Length} bytes that are copied from the host change from step to step";
            }
        }

        return null;
    }
}
