using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Gpu;
using Ldvc.Tests.Imaging;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Import;

/// <summary>
/// An imported checkpoint against what ZegCLIP's own code gives: the whole test path, from the picture's file to the label of every pixel.
/// </summary>
public sealed class ZegClipGoldenTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void LabelsAndScoresAreTheirs()
    {
        string file = _folder.File("imported.safetensors");
        ZegClipMini.Import(file);
        using var device = new CpuDevice(1);
        ZegClipGolden.Compare(file, device);
    }

    [Fact]
    public void TheOlderFormatHoldsTheSame()
    {
        string legacy = _folder.File("legacy.pth"), file = _folder.File("legacy.safetensors"), usual = _folder.File("imported.safetensors");
        new ZegClipVariant().SaveLegacy(legacy);
        ZegClipMini.ImportFrom(legacy, file);
        ZegClipMini.Import(usual);
        Assert.Equal(File.ReadAllBytes(usual), File.ReadAllBytes(file));
    }
}

/// <summary>The same on OpenCL.</summary>
[Collection("opencl")]
public sealed class OpenClZegClipGoldenTests(OpenClFixture fixture)
{
    [Fact]
    public void LabelsAndScoresAreTheirs()
    {
        Device device = fixture.Twin.Device;
        using var folder = new TempFolder();
        string file = folder.File("imported.safetensors");
        ZegClipMini.Import(file);
        ZegClipGolden.Compare(file, device);
    }
}

/// <summary>The comparison.</summary>
internal static class ZegClipGolden
{
    // Between two classes this close, the order of additions decides.
    private const float Undecided = 1e-6f;
    private const float ScoreTolerance = 2e-6f;

    public static void Compare(string file, Device device)
    {
        using LdvcCheckpoint checkpoint = LdvcCheckpoint.Open(file);
        using LoadedModel loaded = checkpoint.LoadModel(device, null);
        using Segmenter segmenter = FreeVocabulary.CreateSegmenter(checkpoint, loaded, checkpoint.Classes);
        using TensorArchive expected = TensorArchive.Open(ZegClipMini.At("expected.safetensors"));
        foreach (string picture in ZegClipMini.Pictures)
        {
            LabelMap truth = LabelPng.Read(ZegClipMini.At(picture + ".labels.png"));
            float[] margin = expected.ReadFloat32(picture + ".margin"), best = expected.ReadFloat32(picture + ".best");
            (LabelMap labels, float[] scores) = segmenter.Segment(ImageReader.Read(ZegClipMini.At(picture + ".png")));
            Assert.Equal((truth.Width, truth.Height), (labels.Width, labels.Height));
            int decided = 0;
            for (int i = 0; i < margin.Length; i++)
            {
                Assert.Equal(best[i], scores[i], ScoreTolerance);
                if (margin[i] > Undecided)
                {
                    decided++;
                    Assert.True(
                        truth.Labels[i] == labels.Labels[i],
                        $"{picture}: pixel {i}: expected {truth.Labels[i]}, got {labels.Labels[i]}, margin {margin[i]}");
                }
            }

            Assert.True(decided > 0.99 * margin.Length, $"{picture}: {decided} of {margin.Length} pixels are decided");
        }
    }
}
