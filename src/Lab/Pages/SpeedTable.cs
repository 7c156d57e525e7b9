using System.Globalization;
using Ldvc.Lab.Evidence;

namespace Ldvc.Lab.Pages;

/// <summary>Times of `bench peers`: a row a piece of work, a column an engine.</summary>
internal static class SpeedTable
{
    /// <summary>The work that a short table shows.</summary>
    internal static readonly string[] Short = ["encoder-512", "encoder-224", "step-voc", "step-coco"];

    // What `bench peers` calls an engine, and its name.
    private static readonly (string Key, string Title)[] Engines =
    [
        ("ldvc", "Ldvc"), ("onnxruntime", "ONNX Runtime"), ("pytorch", "PyTorch"), ("pytorch-compile", "PyTorch, compiled"), ("libtorch", "libtorch"),
        ("ldvc-encoder", "our encoder alone"),
    ];

    private static readonly Dictionary<string, string> Works = new()
    {
        ["attention-forward"] = "attention 12 x 1025 x 64, forward",
        ["attention-train"] = "attention 12 x 1025 x 64, forward and backward",
        ["encoder-512"] = "encoder forward, 512 x 512",
        ["encoder-224"] = "encoder forward, 224 x 224",
        ["prompts-512"] = "forward and backward to deep prompts, 512 x 512",
        ["prompts-224"] = "forward and backward to deep prompts, 224 x 224",
        ["text-20"] = "text tower, 20 prompts of 77 tokens",
        ["text-171"] = "text tower, 171 prompts of 77 tokens",
        ["route-train"] = "route attention, forward and backward",
        ["mask-loss-15"] = "upsample, focal and dice loss, 15 classes",
        ["mask-loss-156"] = "upsample, focal and dice loss, 156 classes",
        ["step-voc"] = "LDVC training step, 15 classes",
        ["step-coco"] = "LDVC training step, 156 classes",
        ["window-171"] = "one window, 171 cached names",
    };

    /// <summary>The table.</summary>
    /// <param name="input">The entry.</param>
    /// <param name="only">The work to show, in this order; null = all of it.</param>
    internal static ViewText Render(ViewInput input, string[]? only)
    {
        LedgerTiming[] timings = input.Entry.Timings;
        string[] works = [.. (only ?? [.. timings.Select(t => t.Case).Distinct()]).Where(work => Array.Exists(timings, t => t.Case == work))];
        (string Key, string Title)[] engines = [.. Engines.Where(engine => timings.Any(t => t.Engine == engine.Key && works.Contains(t.Case)))];
        IEnumerable<string> versions = engines.Select(engine => Array.Find(timings, t => t.Engine == engine.Key)!.Version)
            .Where(version => !version.StartsWith("this repository", StringComparison.Ordinal));
        string against = string.Join("; ", versions);
        LedgerTiming? Find(string work, string engine) => Array.Find(timings, t => t.Case == work && t.Engine == engine);
        return ViewText.Of(
        [
            .. LedgerViews.Table(
                ["work", .. engines.Select(engine => engine.Title)],
                works.Select(work => (IReadOnlyList<string>)
                    [Works.GetValueOrDefault(work, work), .. engines.Select(engine => Cell(Find(work, engine.Key)))])),
            "",
            .. PageBlocks.Wrap(
                "Medians, engines in turn, each in its own process, whose peak memory stands behind. "
                    + $"{LedgerViews.Source(input)}{(against.Length > 0 ? $" Against {against}." : "")}"),
        ]);
    }

    private static string Cell(LedgerTiming? timing) => timing is null ? "-"
        : $"{Seconds(timing.MedianSeconds)}, {timing.PeakMebibytes.ToString("F0", CultureInfo.InvariantCulture)} MiB";

    private static string Seconds(double seconds) => seconds switch
    {
        < 0.02 => $"{(seconds * 1e3).ToString("F1", CultureInfo.InvariantCulture)} ms",
        < 1 => $"{(seconds * 1e3).ToString("F0", CultureInfo.InvariantCulture)} ms",
        _ => $"{seconds.ToString("F2", CultureInfo.InvariantCulture)} s",
    };
}
