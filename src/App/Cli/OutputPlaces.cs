using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text;
using System.Text.Json;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.App.Cli;

/// <summary>Files that a command line writes: none of those that it reads, and not one file for two results.</summary>
internal static class OutputPlaces
{
    private const string Checkpoint = "--checkpoint";
    private const string Set = "--set";

    private const string Out = "--out";
    private const string Data = "--write-data";
    private const string StandardOutput = "-";
    private const string Weights = "tensors";
    private const string Embed = "embed";
    private const int BytesLookedAt = 16;
    private const int TextLookedAt = 1 << 16;

    private static readonly string[] s_outputs = ["--json", "--report", Out];

    // What else names files. Pictures of `segment` are found in folders and by patterns, and are compared there.
    private static readonly string[] s_inputs =
    [
        "CONFIG", "FILE", Checkpoint, "--clip", "--classes-file", "--embeddings", "--reference", "--image", Set,
    ];

    /// <summary>Refuses a result in the place of an input or of another result, before anything is read.</summary>
    /// <param name="result">The command line.</param>
    /// <exception cref="InputException">Two of its files are one.</exception>
    internal static void Check(ParseResult result)
    {
        (string Name, string Path)[] given = [.. Given(result.CommandResult)];
        if (Array.Find(given, one => one.Path == StandardOutput && (one.Name == Data || s_outputs.Contains(one.Name))).Name is { } streamed)
        {
            throw new InputException(
                $"{streamed}: expected the name of a file or folder, found '-': results are not written to the standard output (./- is a file of "
                    + "that name).");
        }

        foreach ((string name, string path) in given.Where(one => s_outputs.Contains(one.Name)))
        {
            // A folder of results is looked at by who writes into it.
            string full = Path.GetFullPath(path);
            string? other = Directory.Exists(full) ? null
                : given.FirstOrDefault(one => one.Name != name && IsSame(full, one.Path)).Name;
            if (other is not null)
            {
                string what = other == Checkpoint ? $"replace the checkpoint that was given ({other})"
                    : s_inputs.Contains(other) ? $"replace a file that was given ({other})"
                    : $"also be the file of {other}";
                throw new InputException($"{name}: {path} would {what}; expected another one.");
            }

            // A link to nothing is a file to .NET, but there is nothing to look at.
            string verb = result.CommandResult.Command.Name;
            bool isFile = name != Out || verb is Embed or "import" or "export";
            if (isFile && File.Exists(full) && FileKind.DeadLink(full) is null && FileKind.Special(full) is null
                && (KindOf(full) ?? OtherText(name, full)) is { } kind && !(name == Out && kind == Weights && IsOfVerb(verb, full)))
            {
                throw new InputException($"{name}: {path} is there already, and holds {kind}; expected another name.");
            }
        }
    }

    private static IEnumerable<(string Name, string Path)> Given(CommandResult command)
    {
        foreach (SymbolResult symbol in command.Children)
        {
            string name = symbol switch
            {
                OptionResult option => option.Option.Name,
                ArgumentResult argument => argument.Argument.Name,
                _ => "",
            };
            if (s_outputs.Contains(name) || s_inputs.Contains(name) || name == Data)
            {
                foreach (string value in symbol.Tokens.Select(token => name == Set ? AfterKey(token.Value) : token.Value).Where(IsPath))
                {
                    yield return (name, PathText.Expand(value, name));
                }
            }
        }
    }

    // What nobody means to replace by a result of another kind.
    private static string? KindOf(string path)
    {
        ReadOnlySpan<byte> start = PlainFile.ReadStart(path, BytesLookedAt);
        return start switch
        {
            [_, _, _, _, 0, 0, 0, 0, (byte)'{', ..] => Weights,
            [(byte)'P', (byte)'K', 3, 4, ..] or [0x1F, 0x8B, ..] => "an archive",
            [0x89, (byte)'P', (byte)'N', (byte)'G', ..] or [0xFF, 0xD8, 0xFF, ..] or [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..]
                or [(byte)'R', (byte)'I', (byte)'F', (byte)'F', ..] => "a picture",
            [0x93, (byte)'N', (byte)'U', ..] or [0x80, < 6, ..] => "an array or a pickle",
            _ => null,
        };
    }

    // A run's log or configuration, or notes; what an earlier command line wrote is an object or a page.
    private static string? OtherText(string name, string path)
    {
        string start = Encoding.UTF8.GetString(PlainFile.ReadStart(path, TextLookedAt)).TrimStart('\uFEFF').TrimStart();
        return start.Length == 0 || name == Out ? null
            : name == "--report" ? start[0] == '<' ? null : "text that is no page"
            : start[0] is not ('{' or '[') ? "text that is no JSON"
            : start.IndexOf('\n', StringComparison.Ordinal) is > 0 and var end && start[end..].Trim().Length > 0 && IsJson(start[..end])
                ? "lines of JSON"
            : null;
    }

    private static bool IsJson(string text)
    {
        try
        {
            JsonInput.Parse(Encoding.UTF8.GetBytes(text), duplicates: true).Dispose();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    // Features may be replaced by features, and a checkpoint without an optimiser's state, which is made of another file, by one like it.
    private static bool IsOfVerb(string verb, string path)
    {
        try
        {
            using TensorArchive archive = TensorArchive.Open(path);
            return verb == Embed
                ? archive.Entries.Keys.All(name => name.EndsWith(EmbedVerb.Features, StringComparison.Ordinal))
                : archive.Metadata.ContainsKey("kind") && !archive.Entries.Keys.Any(TrainingState.IsMoment);
        }
        catch (InputException)
        {
            return false;
        }
    }

    private static string AfterKey(string set) => set[(set.IndexOf('=', StringComparison.Ordinal) + 1)..].Trim();

    private static bool IsPath(string value) => value.Trim().Length > 0 && !value.Contains('\0', StringComparison.Ordinal);

    // An input may be a link to the file, or a CLIP's folder with it inside.
    private static bool IsSame(string output, string path)
    {
        string full = Path.GetFullPath(path);
        return full == output
            || (File.Exists(full) && File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName == output)
            || (Directory.Exists(full) && File.Exists(output) && ClipCheckpoint.IsPart(Path.GetFileName(output))
                && Path.TrimEndingDirectorySeparator(full) == Path.GetDirectoryName(output));
    }
}
