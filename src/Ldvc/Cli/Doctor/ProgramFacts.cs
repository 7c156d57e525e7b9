using SkiaSharp;

namespace Ldvc.Cli.Doctor;

/// <summary>Parts of the program that can be missing from an installation.</summary>
internal static class ProgramFacts
{
    public static IEnumerable<Finding> Collect()
    {
        yield return Skia();
        string? folder = DemoAssets.Find();
        string[] missing = folder is null ? [] : DemoAssets.Missing(folder);
        string found = folder is null ? $"no folder {DemoAssets.Folder} beside the program, above it, or in the working directory"
            : missing.Length > 0 ? $"{folder} lacks {string.Join(", ", missing)}"
            : folder;
        yield return new Finding("demo assets", folder is null || missing.Length > 0 ? FindingState.Absent : FindingState.Ok, found);
    }

    /// <summary>Encodes one pixel, which needs the native library.</summary>
    private static Finding Skia()
    {
        const string Subject = "image codecs";
        try
        {
            using var bitmap = new SKBitmap(1, 1);
            using SKData? png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
            return png is { Size: > 0 }
                ? new Finding(Subject, FindingState.Ok, $"SkiaSharp {SkiaSharpVersion.Native} loads and encodes")
                : new Finding(Subject, FindingState.Broken, "SkiaSharp loads but cannot encode a PNG");
        }
        catch (Exception e) when (e is TypeInitializationException or DllNotFoundException or BadImageFormatException or InvalidOperationException)
        {
            string reason = (e.InnerException ?? e).Message.Split('\n')[0].Trim();
            return new Finding(Subject, FindingState.Broken, $"SkiaSharp's native library does not load: {reason}");
        }
    }
}
