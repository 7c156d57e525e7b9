using Ldvc.Clip.Tokenization;
using Ldvc.Lab.Pretraining;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>A device that computes beside the host gets its batches drawn ahead: the same ones, in whatever order they are asked for.</summary>
[Collection("opencl")]
public sealed class CaptionBatchesTests(OpenClFixture fixture)
{
    private static readonly CaptionOptions Options = CaptionOptions.Default with { Size = 32 };

    [Fact]
    public void PicturesDrawnAheadAreThoseOfTheStep()
    {
        Device gpu = fixture.Twin.Device;
        Assert.True(gpu.CopiesAhead);
        using var cpu = new CpuDevice(1);
        Assert.False(cpu.CopiesAhead);
        var tokenizer = new ClipTokenizer(BpeTrainer.Train(CaptionSampler.SampleScenes(1, 0, 64, Options).Select(s => s.Caption), 600));
        CaptionBatches ahead = Create(tokenizer);
        foreach (long step in new long[] { 0, 1, 2, 7, 8, 1 })
        {
            var (pictures, texts) = ahead.Draw(gpu, step, 2);
            var (expected, expectedTexts) = Create(tokenizer).Draw(cpu, step, 1);
            using (pictures)
            using (expected)
            {
                Assert.Equal(expected.ToArray(), pictures.ToArray());
            }

            Assert.Equal(expectedTexts.Ids, texts.Ids);
        }
    }

    private static CaptionBatches Create(ClipTokenizer tokenizer) => new(tokenizer, Options, 1, 8, 32);
}
