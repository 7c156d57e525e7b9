using System.CommandLine;
using System.Globalization;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.App.Cli;

/// <summary>How pictures are cut into windows, where it is to differ from what the model comes with.</summary>
/// <param name="Size">Short side that pictures are resized to.</param>
/// <param name="Window">Side of a window.</param>
/// <param name="Stride">Step between windows.</param>
/// <param name="Penalty">Subtracted from the seen classes' probabilities.</param>
/// <param name="Batch">Windows at once.</param>
internal sealed record WindowOptions(int? Size, int? Window, int? Stride, double? Penalty, int? Batch)
{
    /// <summary>Section eval with these values. A window without a stride keeps the proportion of the two.</summary>
    /// <exception cref="InputException">The stride is larger than the window.</exception>
    public EvalConfig Apply(EvalConfig eval)
    {
        int window = Window ?? eval.Window, stride = Stride ?? Math.Max(1, (int)((long)eval.Stride * window / eval.Window));
        if (stride > window)
        {
            throw new InputException($"--stride: expected at most the window of {window}, found {stride}.");
        }

        return eval with
        {
            ShortSide = Size ?? eval.ShortSide,
            Window = window,
            Stride = stride,
            SeenPenalty = Penalty ?? eval.SeenPenalty,
            Batch = Batch ?? eval.Batch
        };
    }
}

/// <summary>--size, --window, --stride, --penalty and --batch.</summary>
internal sealed class WindowOptionSet
{
    private const int Smallest = 16;
    private const int Largest = 8192;

    private readonly Option<string?> _size = Of(
        "--size", "N", "Short side in pixels that images are resized to; as the model comes (eval.short_side) when not given.");
    private readonly Option<string?> _window = Of("--window", "N", "Side in pixels of the sliding window: a multiple of the CLIP's patch.");
    private readonly Option<string?> _stride = Of("--stride", "N", "Step in pixels between windows, at most the window.");
    private readonly Option<string?> _penalty = Of(
        "--penalty", "X", "Subtracted from the probabilities of the classes that had masks in training, when others are asked for, too (0 to 1).");
    private readonly Option<string?> _batch = Of("--batch", "N", "Windows computed at once, also of several images.");

    /// <summary>Adds them to a verb.</summary>
    public void AddTo(Command command)
    {
        foreach (Option<string?> option in (Option<string?>[])[_size, _window, _stride, _penalty, _batch])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Their values.</summary>
    /// <exception cref="InputException">One is out of its range.</exception>
    public WindowOptions Read(ParseResult result) => new(
        Whole(result, _size, Smallest, Largest),
        Whole(result, _window, Smallest, Largest),
        Whole(result, _stride, 1, Largest),
        OptionValue.Number(result, _penalty, 0, 1),
        Whole(result, _batch, 1, 1024));

    private static int? Whole(ParseResult result, Option<string?> option, int smallest, int largest) =>
        (int?)OptionValue.OptionalWholeNumber(result, option, smallest, largest);

    private static Option<string?> Of(string name, string value, string description) => new(name) { HelpName = value, Description = description };
}
