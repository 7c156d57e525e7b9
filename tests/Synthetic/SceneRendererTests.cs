using Ldvc.Imaging;
using Ldvc.Lab.Synthetic;
using Xunit;

namespace Ldvc.Tests.Synthetic;

public class SceneRendererTests
{
    /// <summary>Left out where colours are compared with the background: some backgrounds are nearly white.</summary>
    private const int White = 7;

    /// <summary>Pinned: a change here means that every model trained on the synthetic data would need new pictures.</summary>
    [Theory]
    [InlineData("train", 0, 17938857710720684508UL, 8045761074899223789UL)]
    [InlineData("val", 7, 15321767839542283480UL, 9082310317797720271UL)]
    public void PicturesAreTheSameBytesEverywhere(string split, int index, ulong picture, ulong mask)
    {
        (RgbImage image, LabelMap labels) = new SceneDataset(split, 100, seed: 3).Read(index);
        Assert.Equal((picture, mask), (Checksum(image.Pixels), Checksum(labels.Labels)));
    }

    [Fact]
    public void EveryShapeFillsItsMaskWithItsColour()
    {
        for (int shape = 0; shape < Vocabulary.Shapes.Length; shape++)
        {
            for (int colour = 0; colour < Vocabulary.Colours.Length; colour++)
            {
                var plain = new PlacedObject(new SceneClass(0, colour, shape), 32, 32, 40, 0.1f, (ulong)(shape + 17));
                var scene = new Scene(64, 64, 5, 1, BackgroundPattern.Flat, [plain]) { Task = SceneTask.Shapes };
                byte[] pixels = new byte[3 * 64 * 64];
                SceneRenderer.Render(scene, pixels, []);
                (byte r, byte g, byte b) = Vocabulary.ColourValues[colour];
                int near = 0;
                for (int i = 0; i < 64 * 64; i++)
                {
                    int distance = Math.Abs(pixels[3 * i] - r) + Math.Abs(pixels[(3 * i) + 1] - g) + Math.Abs(pixels[(3 * i) + 2] - b);
                    near += distance < 110 ? 1 : 0;
                }

                Assert.InRange(near, 250, 1300);
            }
        }
    }

    [Fact]
    public void MasksLieOnTheirObjects()
    {
        var dataset = new SceneDataset(
            "val", 60, seed: 1, SceneOptions.Shapes with { Classes = [.. SceneTask.Shapes.Things.Where(c => c.Texture == 0 && c.Colour != White)] });
        double inside = 0, insideNear = 0, outside = 0, outsideNear = 0;
        for (int index = 0; index < dataset.Count; index++)
        {
            (RgbImage image, LabelMap labels) = dataset.Read(index);
            int[] present = [.. labels.Labels.Where(l => l != 255).Select(l => (int)l).Distinct()];
            for (int i = 0; i < labels.Labels.Length; i++)
            {
                int label = labels.Labels[i];
                if (label != 255)
                {
                    inside++;
                    insideNear += Near(image.Pixels, i, label) ? 1 : 0;
                }
                else
                {
                    outside++;
                    outsideNear += present.Any(p => Near(image.Pixels, i, p)) ? 1 : 0;
                }
            }
        }

        // Edge pixels are mixtures, hence not 100 %; a mask shifted by two pixels falls well below.
        Assert.InRange(insideNear / inside, 0.95, 1);
        Assert.InRange(outsideNear / outside, 0, 0.02);
    }

    [Fact]
    public void LaterObjectsCoverEarlierOnes()
    {
        var below = new PlacedObject(SceneClass.Parse("plain red circle"), 32, 32, 50, 0, 1);
        var above = new PlacedObject(SceneClass.Parse("plain white square"), 32, 32, 24, 0, 2);
        (_, LabelMap labels) = SceneRenderer.Render(new Scene(64, 64, 1, 0, BackgroundPattern.Flat, [below, above]) { Task = SceneTask.Shapes });
        Assert.Equal(SceneTask.Shapes.IdOf(above.Class), labels.Labels[(32 * 64) + 32]);
        Assert.Equal(SceneTask.Shapes.IdOf(below.Class), labels.Labels[(32 * 64) + 12]);
        Assert.Equal(255, labels.Labels[0]);
    }

    [Theory]
    [InlineData(nameof(BackgroundPattern.Stripes))]
    [InlineData(nameof(BackgroundPattern.Blotches))]
    [InlineData(nameof(BackgroundPattern.Gradient))]
    public void AWindowIsAnExactCrop(string pattern)
    {
        Scene whole = new SceneDataset("train", 10, seed: 9).GetScene(4) with { Pattern = Enum.Parse<BackgroundPattern>(pattern) };
        (RgbImage big, LabelMap bigLabels) = SceneRenderer.Render(whole);
        (RgbImage crop, LabelMap cropLabels) = SceneRenderer.Render(whole with { Width = 64, Height = 48, OriginX = 37, OriginY = 53 });
        for (int y = 0; y < 48; y++)
        {
            int from = ((y + 53) * 128) + 37;
            Assert.Equal(big.Pixels.AsSpan(3 * from, 3 * 64), crop.Pixels.AsSpan(3 * y * 64, 3 * 64));
            Assert.Equal(bigLabels.Labels.AsSpan(from, 64), cropLabels.Labels.AsSpan(y * 64, 64));
        }
    }

    [Fact]
    public void TexturesShowTwoColoursInTheRightShares()
    {
        for (int texture = 0; texture < 4; texture++)
        {
            var style = new SurfaceStyle(new PlacedObject(new SceneClass(texture, 0, 0), 0, 0, 40, 0, 77));
            int second = 0;
            for (int i = 0; i < 100 * 100; i++)
            {
                second += style.IsSecond((i % 100) * 0.7f, (i / 100) * 0.7f) ? 1 : 0;
            }

            double share = second / 10_000.0;
            double expected = texture switch { 0 => 0, 2 => 0.298, _ => 0.5 };
            Assert.InRange(share, expected - 0.03, expected + 0.03);
        }
    }

    private static bool Near(byte[] pixels, int i, int label)
    {
        (byte r, byte g, byte b) = Vocabulary.ColourValues[SceneTask.Shapes.Things[label].Colour];
        return Math.Abs(pixels[3 * i] - r) + Math.Abs(pixels[(3 * i) + 1] - g) + Math.Abs(pixels[(3 * i) + 2] - b) < 130;
    }

    private static ulong Checksum(byte[] bytes)
    {
        ulong hash = 14695981039346656037UL;
        foreach (byte b in bytes)
        {
            hash = (hash ^ b) * 1099511628211UL;
        }

        return hash;
    }
}
