using System.Security.Cryptography;

namespace Ldvc.Tests.Synthetic;

/// <summary>A short name for bytes that must not change.</summary>
internal static class CheckSum
{
    /// <summary>The first 16 hexadecimal digits of the SHA-256 of all parts, one after the other.</summary>
    public static string Of(params byte[][] parts) => Convert.ToHexStringLower(SHA256.HashData([.. parts.SelectMany(p => p)]))[..16];
}
