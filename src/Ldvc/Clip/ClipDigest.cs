using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Ldvc.Clip;

/// <summary>
/// What a CLIP is recognised by, in whatever file it lies: SHA-256 over one line for each of its tensors, in the order of their names, with name (OpenAI's),
/// shape (the two projections as [E, width]) and the SHA-256 of its values as float32, little-endian.
/// </summary>
internal sealed class ClipDigest
{
    private readonly SortedDictionary<string, string> _lines = new(StringComparer.Ordinal);

    /// <summary>Adds a tensor; safe from several threads.</summary>
    internal void Add(string name, string shape, ReadOnlySpan<float> values)
    {
        string line = $"{name} {shape} {Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(values)))}\n";
        lock (_lines)
        {
            _lines.Add(name, line);
        }
    }

    /// <summary>The digest of what was added, 64 hexadecimal digits.</summary>
    internal string Hex() => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(_lines.Values))));
}
