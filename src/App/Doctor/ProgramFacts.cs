using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Lab.Demo;
using SkiaSharp;

namespace Ldvc.App.Doctor;

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

    /// <summary>Reads one pixel that was just written, which needs the native library.</summary>
    private static Finding Skia()
    {
        const string Subject = "image codecs";
        try
        {
            using SKBitmap? bitmap = SKBitmap.Decode(ImageWriter.EncodePng(new RgbImage(1, 1)));
            return bitmap is { Width: 1, Height: 1 }
                ? new Finding(Subject, FindingState.Ok, $"SkiaSharp {SkiaSharpVersion.Native} loads and decodes")
                : new Finding(Subject, FindingState.Broken, "SkiaSharp loads but cannot decode a PNG");
        }
        catch (Exception e) when (e is TypeInitializationException or DllNotFoundException or BadImageFormatException or InvalidOperationException)
        {
            string reason = (e.InnerException ?? e).Message.Split('\n')[0].Trim();
            return new Finding(Subject, FindingState.Broken, $"SkiaSharp's native library does not load: {reason}");
        }
    }
}
