using System.CommandLine;
using System.Globalization;
using Ldvc.Configuration;
using Ldvc.Lab.Evidence;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.App.Cli;

/// <summary>Reads and checks single values of a parsed command line.</summary>
internal static class OptionValue
{
    // More threads than cores wait for each other; a few more do no harm, hundreds make the program crawl.
    private const int ThreadsPerCore = 4;

    /// <summary>A path or text that must not be empty; null when the option was not given.</summary>
    public static string? Text(ParseResult result, Option<string?> option) => NotEmpty(option.Name, result.GetValue(option));

    /// <summary>A path; ~ and $VARIABLES are put in. Null when the option was not given.</summary>
    public static string? Path(ParseResult result, Option<string?> option) =>
        Text(result, option) is { } path ? PathText.Expand(path, option.Name) : null;

    /// <summary>A required option's path.</summary>
    public static string RequiredPath(ParseResult result, Option<string> option) => PathText.Expand(RequiredText(result, option), option.Name);

    /// <summary>A verb's argument that is a path.</summary>
    public static string RequiredPath(ParseResult result, Argument<string> argument) =>
        PathText.Expand(RequiredText(result, argument), argument.Name);

    /// <summary>A required option's path or text.</summary>
    public static string RequiredText(ParseResult result, Option<string> option) => NotEmpty(option.Name, result.GetRequiredValue(option))!;

    /// <summary>A verb's argument.</summary>
    public static string RequiredText(ParseResult result, Argument<string> argument) => NotEmpty(argument.Name, result.GetRequiredValue(argument))!;

    /// <summary>fp32, tf32, bf16 or fp16.</summary>
    public static Precision Precision(ParseResult result, Option<string> option)
    {
        string text = result.GetValue(option) ?? "";
        Precision[] all = Enum.GetValues<Precision>();
        int found = Array.FindIndex(all, precision => ConfigWriter.EnumName(precision) == text);
        return found >= 0
            ? all[found]
            : throw new InputException($"{option.Name}: expected {string.Join(", ", all[..^1].Select(p => ConfigWriter.EnumName(p)))} or "
                + $"{ConfigWriter.EnumName(all[^1])}, found {ConfigText.Quote(text)}.");
    }

    /// <summary>auto (null), quick-gelu or gelu.</summary>
    public static Kernels.Activation? Activation(ParseResult result, Option<string> option) =>
        Model.LoadedModel.KernelActivation(ActivationChoice(result, option));

    /// <summary>The same as a configuration has it.</summary>
    public static ClipActivation ActivationChoice(ParseResult result, Option<string> option)
    {
        string text = result.GetValue(option) ?? "";
        ClipActivation[] all = Enum.GetValues<ClipActivation>();
        int found = Array.FindIndex(all, activation => ConfigWriter.EnumName(activation) == text);
        return found >= 0
            ? all[found]
            : throw new InputException($"{option.Name}: expected auto, quick-gelu or gelu, found {ConfigText.Quote(text)}.");
    }

    /// <summary>The values of an option that may be repeated.</summary>
    public static string[] Texts(string name, string[]? values) => [.. (values ?? []).Select(value => NotEmpty(name, value)!)];

    /// <summary>
    /// Texts whose words count. Bytes of the command line that are no UTF-8 arrive as U+FFFD: they would be encoded as something nobody typed.
    /// </summary>
    public static string[] Utf8(string name, string[] values) => Array.Find(values, value => value.Contains('\uFFFD')) is { } damaged
        ? throw new InputException($"{name}: expected text in UTF-8, found {ConfigText.Quote(damaged)} with bytes that are not.")
        : values;

    /// <summary>Whether a text is the path of a file rather than words: it has an ending or a folder, and the file is there.</summary>
    public static bool IsFile(string text) =>
        (System.IO.Path.HasExtension(text) || text.Contains('/', StringComparison.Ordinal)) && File.Exists(text);

    /// <summary>Texts whose words count. One that is a file's name would be encoded as that name.</summary>
    public static string[] Words(string name, string[] values) => Array.Find(Utf8(name, values), IsFile) is { } file
        ? throw new InputException($"{name}: expected a text, found the name of a file, {ConfigText.Quote(file)}; pictures are for --image, and a "
            + "list of texts in a file for --classes-file with --template {class}.")
        : values;

    /// <summary>--record: a name; null when the option was not given.</summary>
    public static string? Record(ParseResult result, Option<string?> option)
    {
        if (Text(result, option) is not { } name)
        {
            return null;
        }

        Origin.Note();
        return Ledger.CheckName(name, option.Name);
    }

    /// <summary>A number in a range; null when the option was not given.</summary>
    public static double? Number(ParseResult result, Option<string?> option, double smallest, double largest)
    {
        string? text = result.GetValue(option);
        if (text is null)
        {
            return null;
        }

        // 1e999 is read as infinity, which no range means.
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value)
            && value >= smallest && value <= largest)
        {
            return value;
        }

        string range = double.IsInfinity(largest)
            ? $"of at least {ConfigText.Number(smallest)}"
            : $"from {ConfigText.Number(smallest)} to {ConfigText.Number(largest)}";
        throw new InputException($"{option.Name}: expected a number {range}, found {ConfigText.Quote(text)}.");
    }

    /// <summary>--threads.</summary>
    public static int Threads(ParseResult result, Option<string> option)
    {
        long threads = WholeNumber(result, option, 0, long.MaxValue);
        RefuseMany(option.Name, threads, " (0 = one per core)");
        return (int)threads;
    }

    /// <summary>Refuses more threads than make sense here.</summary>
    /// <param name="name">The option or key.</param>
    /// <param name="threads">Threads that it asks for.</param>
    /// <param name="remark">What else it may be.</param>
    public static void RefuseMany(string name, long threads, string remark = "")
    {
        int most = ThreadsPerCore * Environment.ProcessorCount;
        if (threads > most)
        {
            throw new InputException(
                $"{name}: expected at most {most}, {ThreadsPerCore} for each of the {Environment.ProcessorCount} cores here{remark}, found "
                    + $"{threads}.");
        }
    }

    /// <summary>
    /// A file that can be written; null when the option was not given. Looked at now: results that took hours should not find out at the end that
    /// they cannot be written.
    /// </summary>
    public static string? OutputFile(ParseResult result, Option<string?> option)
    {
        string? path = Path(result, option);
        if (path is not null && (Directory.Exists(path) || !Directory.Exists(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path)))))
        {
            throw new InputException($"{option.Name}: expected a file in a folder that exists, found {ConfigText.Quote(path)}.");
        }

        if (path is not null)
        {
            AtomicFiles.Probe(path);
        }

        return path;
    }

    /// <summary>
    /// Refuses a file whose name says another format than that of what is written: whoever opens it by its name would find it damaged.
    /// </summary>
    /// <param name="name">The option.</param>
    /// <param name="path">A file that gets safetensors.</param>
    /// <exception cref="InputException">It does.</exception>
    public static void RefuseOtherFormat(string name, string path)
    {
        string[] others = [".npy", ".npz", ".pt", ".pth", ".bin", ".onnx", ".json", ".csv", ".txt"];
        string ending = System.IO.Path.GetExtension(path);
        if (others.Contains(ending, StringComparer.OrdinalIgnoreCase))
        {
            throw new InputException(
                $"{name}: expected a file NAME.safetensors, which is the format that is written, found {ConfigText.Quote(path)}.");
        }
    }

    /// <summary>A whole number in a range; <see cref="long.MaxValue"/> = no upper end.</summary>
    public static long WholeNumber(ParseResult result, Option<string> option, long smallest, long largest) =>
        WholeNumber(option.Name, result.GetValue(option) ?? "", smallest, largest);

    /// <summary>A whole number in a range; null when the option was not given.</summary>
    public static long? OptionalWholeNumber(ParseResult result, Option<string?> option, long smallest, long largest) =>
        result.GetValue(option) is { } text ? WholeNumber(option.Name, text, smallest, largest) : null;

    private static long WholeNumber(string name, string text, long smallest, long largest)
    {
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value >= smallest && value <= largest)
        {
            return value;
        }

        string range = largest == long.MaxValue ? $"of at least {smallest}" : $"from {smallest} to {largest}";
        throw new InputException($"{name}: expected a whole number {range}, found {ConfigText.Quote(text)}.");
    }

    private static string? NotEmpty(string name, string? value) =>
        value is null || (value.Trim().Length > 0 && !value.Contains('\0'))
            ? value
            : throw new InputException($"{name}: expected a value, found nothing.");
}
