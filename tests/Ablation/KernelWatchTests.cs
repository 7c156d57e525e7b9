using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Kernels;
using Ldvc.Kernels.RouteAttention;
using Ldvc.Lab.Ablation;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Xunit;

namespace Ldvc.Tests.Ablation;

public sealed class KernelWatchTests
{
    private static readonly string[] Names = ["cat", "dog", "blue sky", "traffic cone"];

    // A window of 64 pixels of the tiny CLIP: N = 16 patches of 16 x 16 x 3, width 128, 2 layers, E = 64; with 10 prompts 27 tokens; C = 4 classes.
    private const long Vision =
        (16 * 768 * 128)                                                                       // patch embedding
        + (2 * 10 * 128 * 128)                                                                 // prompts through proj, once per layer
        + (2 * ((27 * 128 * 384) + (2 * 27 * 27 * 128) + (27 * 128 * 128) + (2 * 27 * 128 * 512))) // qkv, attention, out, MLP
        + (27 * 128 * 64);                                                                     // projection of all tokens

    private const long Adapter = 4 * 128 * 64;
    private const long SelfLinears = 4 * 16 * 64 * 64;

    // q and o over 16 patches, k and v over 4 classes, scores and sums, FFN of 256; the last layer stops at the scores.
    private const long VisionQueryLayer = (2 * 16 * 64 * 64) + (2 * 4 * 64 * 64) + (2 * 16 * 4 * 64) + (2 * 16 * 64 * 256);
    private const long VisionQueryScores = (16 * 64 * 64) + (4 * 64 * 64) + (4 * 16 * 64);
    private const long ClassQueryLayer = (2 * 4 * 64 * 64) + (2 * 16 * 64 * 64) + (2 * 4 * 16 * 64) + (2 * 4 * 64 * 256);

    [Theory]
    [InlineData(AblationRow.Zegclip, Vision + Adapter + (2 * ClassQueryLayer) + VisionQueryScores)]
    [InlineData(AblationRow.LanguageDriven, Vision + Adapter + (2 * VisionQueryLayer) + VisionQueryScores)]
    [InlineData(AblationRow.SelfAttention, Vision + Adapter + (2 * VisionQueryLayer) + VisionQueryScores + (3 * (SelfLinears + (2 * 16 * 16 * 64))))]

    // Four windows of 2 x 2 patches, each attends to 3 of them: 16 queries see 12 patches; 4 x 4 affinities.
    [InlineData(AblationRow.Route, Vision + Adapter + (2 * VisionQueryLayer) + VisionQueryScores
        + (3 * (SelfLinears + (2 * 16 * 12 * 64) + (4 * 4 * 64))))]
    public void MultiplyAddsAreThoseCountedByHand(object row, long expected)
    {
        using var device = new CpuDevice(1);
        using LoadedModel loaded = Model(device, (AblationRow)row);
        using Tensor classes = loaded.EmbedClasses(Names);
        using Tensor window = device.FromHost(Noise(3 * 64 * 64), new Shape(1, 3, 64, 64));
        var (adds, seconds) = VariantCost.Time(loaded, classes, window);
        Assert.Equal(expected, adds);
        Assert.True(seconds > 0);
    }

    [Fact]
    public void TheDeviceGetsItsKernelsBackAndResultsStayTheSame()
    {
        using var device = new CpuDevice(1);
        KernelSet before = KernelSet.For(device);
        using LoadedModel loaded = Model(device, AblationRow.Route);
        using Tensor classes = loaded.EmbedClasses(Names);
        RgbImage picture = TinyData.Pattern(64, 64);
        using var segmenter = new Segmenter(
            loaded.Model, classes.Share(), new float[4], new EvalConfig { ShortSide = 64, Window = 64, Stride = 64 }, Statistics);
        byte[] plain = segmenter.Segment(picture).Labels.Labels;
        using (var watch = new KernelWatch(device))
        {
            Assert.NotSame(before, KernelSet.For(device));
            Assert.Equal(plain, segmenter.Segment(picture).Labels.Labels);
            Assert.True(watch.MultiplyAdds > 0);
        }

        Assert.Same(before, KernelSet.For(device));
    }

    [Fact]
    public void RouteMapsShowTheChosenWindows()
    {
        using var device = new CpuDevice(1);
        using LoadedModel loaded = Model(device, AblationRow.Ldvc);
        using Tensor classes = loaded.EmbedClasses(Names);
        RgbImage picture = TinyData.Pattern(64, 64, seed: 3);
        RouteMap.Choices(loaded, classes, picture, Statistics);
        long live = device.Pool.LiveBlocks;
        IReadOnlyList<RouteTable> routes = RouteMap.Choices(loaded, classes, picture, Statistics);
        Assert.Equal(live, device.Pool.LiveBlocks);
        Assert.Equal(3, routes.Count);
        foreach (RouteTable route in routes)
        {
            Assert.Equal((4, 3), (route.Sizes.Windows, route.Sizes.TopK));
            int own = RouteWindows.At(route.Sizes, 0.9, 0.1);
            Assert.Equal(1, own);
            int[] chosen = RouteWindows.Chosen(route, 0, own).ToArray();
            Assert.Equal(3, chosen.Distinct().Count());

            RgbImage map = RouteMap.Draw(picture, route, 0, 0.9, 0.1);
            for (int window = 0; window < 4; window++)
            {
                // The middle of a window is never on its frame.
                int at = 3 * (((16 + (32 * (window / 2))) * 64) + 16 + (32 * (window % 2)));
                bool kept = picture.Pixels.AsSpan(at, 3).SequenceEqual(map.Pixels.AsSpan(at, 3));
                Assert.Equal(chosen.Contains(window), kept);
            }

            Assert.Equal([255, 40, 40], map.Pixels.AsSpan(3 * 63, 3).ToArray());
        }
    }

    [Fact]
    public void WindowsAtTheEdgeMayBeSmaller()
    {
        // 7 x 5 patches in at most 3 x 3 windows of 3 x 2.
        var sizes = new RouteSizes(1, 1, 8, 7, 5, 3, 4, 1);
        Assert.Equal((6, 4, 1, 1), RouteWindows.Place(sizes, 8));
        Assert.Equal(35, Enumerable.Range(0, sizes.Windows).Sum(w => RouteWindows.Tokens(sizes, w)));
        Assert.Equal(8, RouteWindows.At(sizes, 1, 1));
        Assert.Equal(0, RouteWindows.At(sizes, 0, 0));
        Assert.Equal(4, RouteWindows.At(sizes, 0.5, 0.5));
    }

    private static LoadedModel Model(Device device, AblationRow row)
    {
        LdvcConfig config = AblationVariant.Configure(new LdvcConfig(), row);
        ModelConfig model = config.Model with { Decoder = config.Model.Decoder with { Windows = 2, Topk = 3 } };
        return LoadedModel.Create(TinyClip.Folder, model, device, seed: 1);
    }

    private static readonly Ldvc.Imaging.ImageStatistics Statistics = new("test", [0.5f, 0.5f, 0.5f], [0.3f, 0.3f, 0.3f]);

    private static float[] Noise(int count)
    {
        var random = new CounterRandom(5, 5);
        var values = new float[count];
        foreach (ref float value in values.AsSpan())
        {
            value = (float)random.NextNormal();
        }

        return values;
    }
}
