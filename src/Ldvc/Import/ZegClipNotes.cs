using System.Globalization;
using System.Text.RegularExpressions;
using Ldvc.Configuration;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Import;

/// <summary>
/// What mmcv's notes in a checkpoint say: class names, iteration, and the configuration as Python text, in which a few assignments are looked for.
/// Nothing of it is run, and all of it may be missing.
/// </summary>
internal sealed partial class ZegClipNotes
{
    private readonly string _config;
    private readonly string _experiment;

    internal ZegClipNotes(TensorArchive archive)
    {
        IReadOnlyDictionary<string, string> notes = archive.Metadata;
        _config = notes.GetValueOrDefault("meta.config") ?? "";
        _experiment = notes.GetValueOrDefault("meta.exp_name") ?? "";
        Step = int.TryParse(notes.GetValueOrDefault("meta.iter"), NumberStyles.None, CultureInfo.InvariantCulture, out int step) ? step : 0;
        string? names = notes.GetValueOrDefault("meta.CLASSES");
        Classes = names is null ? null : JsonInput.Texts(names);
        HasOtherClasses = names is not null && Classes is null;
    }

    /// <summary>Iterations done; 0 when the notes do not say.</summary>
    internal int Step { get; }

    /// <summary>The data set's classes; null when the notes do not say.</summary>
    internal string[]? Classes { get; }

    /// <summary>Whether something else than a list of names stands where they should be.</summary>
    internal bool HasOtherClasses { get; }

    /// <summary>Indices of the classes without masks; null when the notes do not say, empty when there are none.</summary>
    internal int[]? Unseen => NovelClasses().Match(_config) is { Success: true } match
        ? [.. match.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Number)]
        : null;

    /// <summary>The decoder's heads.</summary>
    internal int? Heads => FirstNumber(DecoderHeads());

    /// <summary>The window of their test.</summary>
    internal int? Window => FirstNumber(TestWindow());

    /// <summary>The stride of their test.</summary>
    internal int? Stride => FirstNumber(TestStride());

    /// <summary>The short side of their test.</summary>
    internal int? ShortSide => FirstNumber(TestShortSide());

    /// <summary>The setting where the configuration states it beyond doubt: pseudo labels, or no class without masks.</summary>
    internal TrainSetting? Stated => SelfTraining().IsMatch(_config) ? TrainSetting.Transductive
        : Unseen is { Length: 0 } ? TrainSetting.Full : null;

    /// <summary>The setting by the configuration, else by the name of its file; null when neither tells.</summary>
    internal TrainSetting? Setting
    {
        get
        {
            if (SelfTraining().IsMatch(_config))
            {
                return TrainSetting.Transductive;
            }

            if (Unseen is { } unseen)
            {
                return unseen.Length == 0 ? TrainSetting.Full : TrainSetting.Inductive;
            }

            string name = System.IO.Path.GetFileNameWithoutExtension(_experiment);
            return name.EndsWith("_st", StringComparison.Ordinal) ? TrainSetting.Transductive
                : name.Contains("_fully_", StringComparison.Ordinal) ? TrainSetting.Full
                : name.Contains("_zero_", StringComparison.Ordinal) ? TrainSetting.Inductive
                : null;
        }
    }

    private int? FirstNumber(Regex pattern) =>
        pattern.Match(_config) is { Success: true } match && Number(match.Groups[1].Value) is > 0 and <= 1 << 16 and var number ? number : null;

    private static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : -1;

    // Without backtracking: the text is a file's, and up to a megabyte long.
    [GeneratedRegex(@"\bnovel_class\s*=\s*\[([0-9,\s]*)\]", RegexOptions.NonBacktracking)]
    private static partial Regex NovelClasses();

    [GeneratedRegex(@"\bself_training\s*=\s*True\b", RegexOptions.NonBacktracking)]
    private static partial Regex SelfTraining();

    [GeneratedRegex(@"\bnum_heads\s*=\s*([0-9]+)", RegexOptions.NonBacktracking)]
    private static partial Regex DecoderHeads();

    [GeneratedRegex(@"\bmode\s*=\s*'slide'\s*,\s*crop_size\s*=\s*\(\s*([0-9]+)", RegexOptions.NonBacktracking)]
    private static partial Regex TestWindow();

    [GeneratedRegex(@"\bstride\s*=\s*\(\s*([0-9]+)", RegexOptions.NonBacktracking)]
    private static partial Regex TestStride();

    [GeneratedRegex(@"\bmin_size\s*=\s*([0-9]+)", RegexOptions.NonBacktracking)]
    private static partial Regex TestShortSide();
}
