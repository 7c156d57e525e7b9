using System.IO.Compression;
using Ldvc.Imaging;

namespace Ldvc.Tests.Imaging;

/// <summary>Files of tests/data/images, written by tools/make_image_fixtures.py.</summary>
internal static class ImageFixtures
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "data", "images");

    public static string Path_(string name) => Path.Combine(Folder, name);

    /// <summary>Expected pixels: NAME.WIDTHxHEIGHT.rgb.gz, found by NAME when there is one, else by NAME.WIDTHxHEIGHT.</summary>
    public static RgbImage Rgb(string name)
    {
        var (width, height, bytes) = Raw(name, "rgb");
        return new RgbImage(width, height, bytes);
    }

    /// <summary>Expected labels: NAME.WIDTHxHEIGHT.u8.gz.</summary>
    public static LabelMap Labels(string name)
    {
        var (width, height, bytes) = Raw(name, "u8");
        return new LabelMap(width, height, bytes);
    }

    /// <summary>Largest absolute difference of two pictures of the same size.</summary>
    public static int MaxDifference(RgbImage a, RgbImage b)
    {
        Xunit.Assert.Equal((b.Width, b.Height), (a.Width, a.Height));
        int max = 0;
        for (int i = 0; i < a.Pixels.Length; i++)
        {
            max = Math.Max(max, Math.Abs(a.Pixels[i] - b.Pixels[i]));
        }

        return max;
    }

    /// <summary>Mean absolute difference of two pictures of the same size.</summary>
    public static double MeanDifference(RgbImage a, RgbImage b)
    {
        Xunit.Assert.Equal((b.Width, b.Height), (a.Width, a.Height));
        double sum = 0;
        for (int i = 0; i < a.Pixels.Length; i++)
        {
            sum += Math.Abs(a.Pixels[i] - b.Pixels[i]);
        }

        return sum / a.Pixels.Length;
    }

    private static (int Width, int Height, byte[] Bytes) Raw(string name, string kind)
    {
        string file = Directory.GetFiles(Folder, $"{name}*.{kind}.gz").Single(f => IsNamed(Path.GetFileName(f), name, kind));
        string size = Path.GetFileName(file)[..^$".{kind}.gz".Length].Split('.')[^1];
        int cross = size.IndexOf('x');
        using var gzip = new GZipStream(File.OpenRead(file), CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        gzip.CopyTo(bytes);
        return (int.Parse(size[..cross]), int.Parse(size[(cross + 1)..]), bytes.ToArray());
    }

    private static bool IsNamed(string file, string name, string kind)
    {
        string stem = file[..^$".{kind}.gz".Length];
        return stem == name || stem[..stem.LastIndexOf('.')] == name;
    }
}
