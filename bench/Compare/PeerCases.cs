namespace Ldvc.Bench.Compare;

/// <summary>All rows: CLIP ViT-B/16 and LDVC around it, batch 1, float32.</summary>
internal static class PeerCases
{
    internal const string Ours = "ldvc";
    internal const string Graph = "ldvc-graph";
    internal const string Encoder = "ldvc-encoder";
    internal const string Peak = "fma-peak";
    internal const string Onnx = "onnxruntime";
    internal const string Torch = "pytorch";
    internal const string TorchCompile = "pytorch-compile";
    internal const string Libtorch = "libtorch";
    internal const string Best = "best";

    internal static readonly IReadOnlyList<PeerCase> All = [.. Gemms(), .. Attention(), .. Towers(), .. Parts(), .. Steps(), .. Batches()];

    private static IEnumerable<PeerCase> Gemms()
    {
        foreach (var (m, n, k) in new[] { (1025, 768, 768), (1025, 2304, 768), (1025, 3072, 768), (1025, 768, 3072), (197, 768, 768) })
        {
            yield return new PeerCase(
                $"gemm-{m}x{k}-{n}", "gemm", Sizes(("m", m), ("n", n), ("k", k)), 2.0 * m * n * k, [Ours, Onnx, Torch, Libtorch, Peak], 2e-5,
                new Goal(Measure.Time, Best, 1 / 0.98));
        }
    }

    private static IEnumerable<PeerCase> Attention()
    {
        const int tokens = 1025, heads = 12, dim = 64;
        double product = 2.0 * heads * tokens * tokens * dim;
        yield return new PeerCase(
            "attention-forward",
            "attention",
            Sizes(("tokens", tokens), ("heads", heads), ("dim", dim), ("backward", 0)),
            2 * product,
            [Ours, Onnx, Torch, Libtorch],
            2e-5,
            new Goal(Measure.Time, Libtorch, 0.85));
        yield return new PeerCase(
            "attention-train",
            "attention",
            Sizes(("tokens", tokens), ("heads", heads), ("dim", dim), ("backward", 1)),
            7 * product,
            [Ours, Torch, Libtorch],
            2e-5,
            new Goal(Measure.Time, Libtorch, 0.75));
    }

    private static IEnumerable<PeerCase> Towers()
    {
        foreach (int size in new[] { 224, 512 })
        {
            yield return new PeerCase(
                $"encoder-{size}", "encoder", Sizes(("size", size)), VitFlops((size / 16 * (size / 16)) + 1), [Ours, Onnx, Torch], 1e-4,
                new Goal(Measure.Time, Onnx, 0.85));
        }

        foreach (int size in new[] { 512, 224 })
        {
            // Forward, and the gradient of every activation: the weights are frozen, so a product's backward is as long as its forward; attention's
            // is two and a half times as long.
            yield return new PeerCase(
                $"prompts-{size}",
                "prompts",
                Sizes(("size", size), ("prompts", 10)),
                PromptFlops((size / 16 * (size / 16)) + 11),
                [Ours, Torch],
                1e-4,
                size == 512 ? [new Goal(Measure.Time, Torch, 0.70), new Goal(Measure.Peak, Torch, 0.50)] : [new Goal(Measure.Time, Torch, 0.70)]);
        }

        foreach (int count in new[] { 20, 171 })
        {
            yield return new PeerCase(
                $"text-{count}", "text", Sizes(("count", count), ("length", 77)), count * TextFlops(77), [Ours, Onnx, Torch], 1e-4,
                new Goal(Measure.Time, Best, 1));
        }
    }

    private static IEnumerable<PeerCase> Parts()
    {
        yield return new PeerCase(
            "route-train",
            "route",
            Sizes(("grid", 32), ("width", 512), ("heads", 8), ("s", 8), ("k", 16)),
            7.0 * 2 * 1024 * 256 * 512,
            [Ours, Torch],
            2e-5,
            new Goal(Measure.Time, Torch, 0.25), new Goal(Measure.Added, Torch, 0.125));
        foreach (int classes in new[] { 15, 156 })
        {
            yield return new PeerCase(
                $"mask-loss-{classes}", "mask", Sizes(("classes", classes), ("grid", 32), ("size", 512)), 0, [Ours, Torch], 2e-5,
                classes == 156 ? [new Goal(Measure.Time, Torch, 0.1), new Goal(Measure.Added, Torch, 0.05)] : []);
        }
    }

    private static IEnumerable<PeerCase> Steps()
    {
        foreach (var (name, classes, prompts, limit) in new[] { ("voc", 15, 10, 0.5), ("coco", 156, 100, 0.25) })
        {
            yield return new PeerCase(
                $"step-{name}",
                PeerCase.Step,
                Sizes(("classes", classes), ("prompts", prompts), ("size", 512), ("length", 9)),
                0,
                [Ours, Torch],
                1e-4,
                new Goal(Measure.Time, Torch, limit), new Goal(Measure.Peak, Torch, 1 / 3.0));
        }

        // A picture of two windows; one run is one window's share. The encoder is the same prompted encoder, on one window.
        yield return new PeerCase(
            "window-171",
            "window",
            Sizes(("classes", 171), ("prompts", 10), ("size", 512)),
            0,
            [Ours, Encoder],
            0,
            new Goal(Measure.Time, Encoder, 1.1));
    }

    // What the recipe feeds a card with, the encoder alone forward and backward, and whole steps.
    private static IEnumerable<PeerCase> Batches() =>
        from c in Towers().Concat(Steps())
        where c.TakesBatches && c["size"] == 512
        select c.With(16) with { Name = c.Name + "-b16", Goals = [] };

    // Twelve blocks of four linears (12 width^2 weights) and two products of attention, plus the patch embedding.
    private static double VitFlops(int tokens) => (12 * Block(tokens, 768)) + (2.0 * tokens * 768 * 768);

    private static double PromptFlops(int tokens) => (2 * VitFlops(tokens)) + (12 * 6.0 * tokens * tokens * 768);

    private static double TextFlops(int tokens) => 12 * Block(tokens, 512);

    private static double Block(int tokens, int width) => (2.0 * tokens * 12 * width * width) + (4.0 * tokens * tokens * width);

    private static Dictionary<string, int> Sizes(params (string Name, int Value)[] sizes) => sizes.ToDictionary(s => s.Name, s => s.Value);
}
