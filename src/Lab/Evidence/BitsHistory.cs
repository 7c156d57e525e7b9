using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ldvc.Configuration;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Lab.Evidence;

/// <summary>One state of the arithmetic: what the golden training run (<see cref="GoldenRun"/>) ends with, by vector width.</summary>
/// <param name="Date">When it became so, as 2026-11-29.</param>
/// <param name="Reason">What was changed, in one sentence.</param>
/// <param name="Hashes">Hash of the run by vector width in bits; at 512, that of a processor with AVX-512.</param>
/// <param name="Emulated">
/// Hash at 512 bits on a processor without AVX-512 (<see cref="BitsHistory.IsEmulated"/>); null = not measured yet. It is no part of the name: no
/// results are recorded so.
/// </param>
internal sealed record BitsChange(string Date, string Reason, SortedDictionary<string, string> Hashes, string? Emulated = null)
{
    /// <summary>A name for the hashes: the first digits of a hash over them.</summary>
    internal string Id => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text)))[..8];

    /// <summary>The hash that this machine gives at a width; null when nobody has measured it.</summary>
    internal string? Here(int width) => BitsHistory.IsEmulated(width) ? Emulated : Hashes.GetValueOrDefault($"{width}");

    private string Text => string.Join(' ', Hashes.Select(hash => $"{hash.Key}:{hash.Value}"));
}

/// <summary>
/// results/bits.json: which results the arithmetic gives, and since when. Numbers in the ledger carry the last entry's name; what was measured before
/// a change is not what the program computes now.
/// </summary>
/// <param name="Changes">All of them, the oldest first.</param>
internal sealed record BitsHistory(BitsChange[] Changes)
{
    /// <summary>The file's name in the ledger's folder.</summary>
    internal const string FileName = "bits.json";

    private static readonly Lazy<BitsHistory> Embedded = new(ReadEmbedded);

    /// <summary>The last change.</summary>
    internal BitsChange Current => Changes[^1];

    /// <summary>The state that this program was built with.</summary>
    internal static BitsChange Own => Embedded.Value.Current;

    /// <summary>
    /// Whether vectors of a width are those of 512 bits on a processor without AVX-512. Results then differ in their last digits from those of one
    /// that has it: a reciprocal is divided for, where AVX-512 starts from the processor's estimate (<see cref="Simd512.Reciprocal"/>). Narrower
    /// vectors take no estimates.
    /// </summary>
    internal static bool IsEmulated(int width) => width == 512 && !Avx512F.IsSupported;

    /// <summary>
    /// Whether the hashes are those of this platform: x64 with fused products, on Linux. Elsewhere the mathematical functions of the system, or
    /// sums and products, round otherwise.
    /// </summary>
    internal static bool IsOfThisPlatform { get; } =
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 && Fma.IsSupported;

    /// <summary>Reads a file.</summary>
    /// <exception cref="InputException">It is missing, damaged, or has no entry.</exception>
    internal static BitsHistory Read(string path)
    {
        BitsHistory history = JsonText.Read<BitsHistory>(path);
        return history.Changes.Length > 0 ? history : throw new InputException($"{path}: expected at least one change, found none");
    }

    /// <summary>The history with one more entry.</summary>
    internal BitsHistory With(BitsChange change) => new([.. Changes, change]);

    private static BitsHistory ReadEmbedded()
    {
        using Stream stream = typeof(BitsHistory).Assembly.GetManifestResourceStream("Ldvc.Lab.bits.json")!;
        return JsonSerializer.Deserialize<BitsHistory>(stream, JsonText.Format)!;
    }
}
