using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing.Processors.Quantization;
using CodecConfiguration = SixLabors.ImageSharp.Configuration;

namespace Ldvc.Imaging.Writing;

/// <summary>
/// Lets the PNG encoder store label maps: the palette is the given one, and the index of a pixel is its red value. Nothing is searched or dithered,
/// so indices are exact even where two of them have the same colour.
/// </summary>
internal sealed class LabelQuantizer(LabelPalette palette) : IQuantizer
{
    /// <inheritdoc/>
    public QuantizerOptions Options { get; } = new() { Dither = null };

    /// <inheritdoc/>
    public IQuantizer<TPixel> CreatePixelSpecificQuantizer<TPixel>(CodecConfiguration configuration)
        where TPixel : unmanaged, IPixel<TPixel> => CreatePixelSpecificQuantizer<TPixel>(configuration, Options);

    /// <inheritdoc/>
    public IQuantizer<TPixel> CreatePixelSpecificQuantizer<TPixel>(CodecConfiguration configuration, QuantizerOptions options)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        var colours = new TPixel[256];
        for (int label = 0; label < colours.Length; label++)
        {
            var (r, g, b) = palette[(byte)label];
            colours[label].FromRgb24(new Rgb24(r, g, b));
        }

        return new Frame<TPixel>(configuration, options, colours);
    }

    private struct Frame<TPixel>(CodecConfiguration configuration, QuantizerOptions options, TPixel[] colours) : IQuantizer<TPixel>
        where TPixel : unmanaged, IPixel<TPixel>
    {
        public readonly CodecConfiguration Configuration => configuration;

        public readonly QuantizerOptions Options => options;

        public readonly ReadOnlyMemory<TPixel> Palette => colours;

        public readonly void AddPaletteColors(Buffer2DRegion<TPixel> pixelRegion)
        {
            // The palette is complete.
        }

        public IndexedImageFrame<TPixel> QuantizeFrame(ImageFrame<TPixel> source, Rectangle bounds) =>
            QuantizerUtilities.QuantizeFrame(ref this, source, bounds);

        public readonly byte GetQuantizedColor(TPixel color, out TPixel match)
        {
            Rgba32 pixel = default;
            color.ToRgba32(ref pixel);
            match = colours[pixel.R];
            return pixel.R;
        }

        public readonly void Dispose()
        {
            // The arrays are the collector's.
        }
    }
}
