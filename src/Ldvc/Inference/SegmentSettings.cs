using System.Security.Cryptography;
using System.Text;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Inference;

/// <summary>
/// What the labels of a picture depend on besides the picture, as a digest. NAME.json keeps it, so that results of other settings are not taken for
/// those that are asked for.
/// </summary>
internal static class SegmentSettings
{
    // A file of weights is known by its checksums. One without is known by its length and by pieces from all of it: no two trainings have equal ones,
    // and reading gigabytes takes seconds.
    private const int Pieces = 64;
    private const int PieceBytes = 1 << 15;

    /// <summary>The digest with a trained model.</summary>
    /// <param name="checkpoint">The model; its CLIP is known by its weights.</param>
    /// <param name="eval">Section eval as it is used.</param>
    /// <param name="asked">What every model is asked for.</param>
    /// <exception cref="InputException">The file cannot be read.</exception>
    internal static string Of(LdvcCheckpoint checkpoint, EvalConfig eval, SegmentRequest asked) =>
        Digest([$"checkpoint {checkpoint.Digest ?? OfPieces(checkpoint.Path)}", .. Lines(eval, asked)]);

    /// <summary>The digest with a CLIP alone.</summary>
    /// <param name="clip">The CLIP.</param>
    /// <param name="activation">Its activation, as the user says.</param>
    /// <param name="free">How patches and names are compared.</param>
    /// <param name="eval">Section eval as it is used.</param>
    /// <param name="asked">What every model is asked for.</param>
    /// <exception cref="InputException">A file cannot be read.</exception>
    internal static string Of(
        ClipCheckpoint clip, ClipActivation activation, TrainingFreeConfig free, EvalConfig eval, SegmentRequest asked) => Digest(
    [
        $"clip {string.Join(' ', clip.Files.Select(OfFile))} {clip.BesideSha256()} {ConfigWriter.EnumName(activation)}",
        .. ConfigWriter.Flatten(free, "training_free.").Select(entry => $"{entry.Key}: {entry.Value}"), .. Lines(eval, asked),
    ]);

    // What has no influence on labels is left out.
    private static IEnumerable<string> Lines(EvalConfig eval, SegmentRequest asked) =>
    [
        .. ConfigWriter.Flatten(eval with { Limit = 0, Background = asked.Background }, "eval.").Where(entry => !entry.Option.Rule.Runtime).Select(
            entry => $"{entry.Key}: {entry.Value}"),
        $"precision: {ConfigWriter.EnumName(asked.Precision)}", $"ignored: {asked.Ignored}", .. asked.Classes.Classes.Select(name => name.ToString()),
    ];

    private static string OfFile(string path)
    {
        if (path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
        {
            using TensorArchive archive = TensorArchive.Open(path);
            return archive.DigestByChecksums() ?? OfPieces(path);
        }

        return OfPieces(path);
    }

    private static string OfPieces(string path)
    {
        using FileStream file = PlainFile.Open(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[PieceBytes];
        long last = Math.Max(0, file.Length - PieceBytes);
        try
        {
            hash.AppendData(BitConverter.GetBytes(file.Length));
            for (int i = 0; i < Pieces; i++)
            {
                file.Position = last * i / (Pieces - 1);
                hash.AppendData(buffer.AsSpan(0, file.ReadAtLeast(buffer, PieceBytes, throwOnEndOfStream: false)));
            }
        }
        catch (IOException e)
        {
            throw new InputException($"{path}: cannot be read ({e.Message})", e);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Digest(IEnumerable<string> lines) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines))));
}

/// <summary>What a model is asked for in every picture.</summary>
/// <param name="Classes">The classes with their synonyms; those to be ignored stand last.</param>
/// <param name="Ignored">How many of them are.</param>
/// <param name="Background">Pixels whose best probability lies below this have no class; null = none do.</param>
/// <param name="Precision">Precision of the products.</param>
internal sealed record SegmentRequest(ClassList Classes, int Ignored, double? Background, Precision Precision);
