namespace Ldvc.Tensors.Serialization;

/// <summary>Tells the kinds of tensor files apart by their first bytes.</summary>
internal static class ArchiveDetection
{
    private const int FrameBytes = 9;

    // The pickled number every plain (non-zip) torch.save file starts with: LONG1 of ten bytes.
    private static ReadOnlySpan<byte> LegacyTorchNumber => [0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.'];

    /// <summary>Opens the archive; the source is closed when that fails.</summary>
    public static TensorArchive Open(ArchiveSource source)
    {
        try
        {
            Span<byte> start = stackalloc byte[(int)Math.Min(32, source.Length)];
            source.Read(0, start);

            // Byte 8 is the header's brace in safetensors and a compression method (never 123) in a zip local header, so it decides first.
            if (start.Length > 8 && start[8] == (byte)'{')
            {
                return SafetensorsArchive.Open(source);
            }

            if (start.StartsWith("PK\x03\x04"u8))
            {
                return TorchArchive.OpenZip(source);
            }

            if (IsLegacyTorch(start))
            {
                return TorchArchive.OpenLegacy(source);
            }

            throw new InputException($"{source.Path}: expected safetensors or a PyTorch checkpoint, got {Describe(start)}.");
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    // Its protocol stands before it; from 4 on a frame may stand between.
    private static bool IsLegacyTorch(ReadOnlySpan<byte> start)
    {
        if (start.Length < 2 || start[0] != 0x80 || start[1] is < 2 or > 5)
        {
            return false;
        }

        ReadOnlySpan<byte> rest = start[2..];
        return rest.StartsWith(LegacyTorchNumber)
            || (rest.Length > FrameBytes && rest[0] == 0x95 && rest[FrameBytes..].StartsWith(LegacyTorchNumber));
    }

    private static string Describe(ReadOnlySpan<byte> start)
    {
        if (start.IsEmpty)
        {
            return "an empty file";
        }

        if (start.StartsWith("version https://git-lfs"u8))
        {
            return "a Git LFS pointer (the file itself was not downloaded)";
        }

        return start[0] == 0x80 ? "a pickle of another kind" : "a file of another kind";
    }
}
