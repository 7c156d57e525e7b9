using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Tests.Imaging;

/// <summary>Label maps of up to 255 classes, as they are stored in PNGs.</summary>
internal static class LabelPng
{
    /// <summary>Reads a file.</summary>
    internal static LabelMap Read(string path) => Decode(InputFile.ReadAllBytes(path), path);

    /// <summary>Decodes a file in memory.</summary>
    internal static LabelMap Decode(ReadOnlySpan<byte> file, string name)
    {
        LabelMap16 wide = PngLabels.Decode(file, name);
        return new LabelMap(wide.Width, wide.Height, Array.ConvertAll(wide.Labels, label => checked((byte)label)));
    }
}
