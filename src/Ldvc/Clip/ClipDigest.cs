using System.Security.Cryptography;
using System.Text;

namespace Ldvc.Clip;

/// <summary>
/// What a CLIP is recognised by, in whatever file it lies: SHA-256 over one line for each of its tensors, in the order of their names, with name
/// (OpenAI's), shape (the two projections as [E, width]) and the SHA-256 of its values as float32, little-endian.
/// </summary>
internal sealed class ClipDigest
{
    private readonly SortedDictionary<string, string> _lines = new(StringComparer.Ordinal);

    /// <summary>Adds a tensor; safe from several threads.</summary>
    /// <param name="name">OpenAI's name.</param>
    /// <param name="shape">The shape as text.</param>
    /// <param name="sha256">Hash of the values' bytes.</param>
    internal void Add(string name, string shape, ReadOnlySpan<byte> sha256)
    {
        string line = $"{name} {shape} {Convert.ToHexStringLower(sha256)}\n";
        lock (_lines)
        {
            _lines.Add(name, line);
        }
    }

    /// <summary>The digest of what was added, 64 hexadecimal digits.</summary>
    internal string Hex() => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(_lines.Values))));
}
