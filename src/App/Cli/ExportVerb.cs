using System.CommandLine;
using System.Globalization;
using System.Text;
using Ldvc.App.Terminal;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Inference;
using Ldvc.Interop;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.App.Cli;

/// <summary>What `ldvc export` is told.</summary>
/// <param name="Checkpoint">An LDVC checkpoint.</param>
/// <param name="Out">The file to write.</param>
/// <param name="Lean">Whether that is a checkpoint without the optimiser's state, not an ONNX model.</param>
/// <param name="Size">Height and width of the pictures; null = the checkpoint's windows.</param>
/// <param name="Classes">Names whose embeddings are written; null = the data set's.</param>
/// <param name="Clip">Folder or file of the CLIP; null = where the checkpoint says it lies.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record ExportOptions(
    string Checkpoint, string Out, bool Lean, (int Height, int Width)? Size, ClassList? Classes, string? Clip, CommonOptions Common);

/// <summary>`ldvc export`: a trained model for other programs.</summary>
internal static class ExportVerb
{
    private const string OnnxSuffix = ".onnx";
    private const string TensorSuffix = ".safetensors";

    /// <summary>The verb on the command line.</summary>
    /// <param name="host">Where it writes, and whether it has been told to stop.</param>
    public static Command Create(VerbHost host)
    {
        Option<string> checkpoint = CommandParts.Checkpoint();
        Option<string> output = CommandParts.Out(
            "FILE",
            $"The file to write: NAME.onnx, with {OnnxExport.ClassesName} and {OnnxExport.ExampleName} beside it; with --lean NAME.safetensors.");
        var size = new Option<string?>("--size")
        {
            HelpName = "HxW",
            Description = "Size of the pictures that the model takes, in pixels, e.g. 512x512; not given = the windows of the checkpoint's "
                + "evaluation.",
        };
        var classes = new ClassOptions();
        var clip = new Option<string?>("--clip") { HelpName = "PATH", Description = "The CLIP the checkpoint was trained on, if it has moved." };
        var lean = new Option<bool>("--lean")
        {
            Description = "Writes the checkpoint without the optimiser's state, a third of the size: for eval, segment, serve and export, not for "
                + "--resume.",
        };
        var command = new VerbCommand(
            "export",
            "Writes a trained model as ONNX (opset 17): image [N,3,H,W] and class embeddings [C,E] to mask logits [N,C,h,w]; or as a lean "
                + "checkpoint.",
            "ldvc export --checkpoint ldvc.safetensors --classes \"cat, grass, sky\" --out model.onnx")
        {
            checkpoint,
            output,
            size,
            clip,
            lean,
        };
        classes.AddTo(command);
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => Run(new ExportOptions(
            OptionValue.RequiredPath(result, checkpoint),
            OptionValue.RequiredPath(result, output),
            result.GetValue(lean),
            OptionValue.Text(result, size) is { } text ? Size(text) : null,
            classes.Read(result),
            OptionValue.Path(result, clip),
            common.Read(result, host))));
        return command;
    }

    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">Bad input, or a file cannot be written.</exception>
    public static int Run(ExportOptions options)
    {
        // The folder of a run stands for one of its checkpoints.
        options = options with { Checkpoint = RunCheckpoint.Resolve(options.Checkpoint) };
        CheckOutput(options);
        return options.Lean ? WriteLean(options) : WriteOnnx(options);
    }

    private static int WriteLean(ExportOptions options)
    {
        if (options.Size is not null || options.Classes is not null || options.Clip is not null)
        {
            throw new InputException("export: --size, --classes and --clip are for ONNX; with --lean expected --checkpoint and --out alone.");
        }

        LeanCheckpoint.Write(options.Checkpoint, options.Out);
        long before = new FileInfo(options.Checkpoint).Length, after = new FileInfo(options.Out).Length;
        options.Common.WriteJson(new { options.Checkpoint, options.Out, Lean = true, Bytes = after, BytesBefore = before });
        options.Common.Out.WriteLine(
            FormattableString.Invariant($"{options.Out}: {after / 1e6:F1} MB of {before / 1e6:F1} MB, without the optimiser's state."));
        return 0;
    }

    private static int WriteOnnx(ExportOptions options)
    {
        CommonOptions common = options.Common;
        using LdvcCheckpoint checkpoint = LdvcCheckpoint.Open(options.Checkpoint);
        using Device device = common.OpenDevice();
        using LoadedModel loaded = checkpoint.LoadModel(device, options.Clip);
        common.Note(loaded.Note);
        var (height, width) = options.Size ?? (checkpoint.Config.Eval.Window, checkpoint.Config.Eval.Window);
        OnnxExport.CheckSize(loaded.Clip.Config, height, width);
        ClassList classes = options.Classes ?? checkpoint.Classes;
        string folder = Path.GetDirectoryName(Path.GetFullPath(options.Out))!, file = Path.GetFileName(options.Out);
        using Tensor embeddings = loaded.EmbedClasses(classes.Texts);
        common.Cancellation.ThrowIfCancellationRequested();
        SafetensorsWriter named = OnnxExport.Classes(
            embeddings, classes, FreeVocabulary.Penalty(checkpoint, classes), PictureStatistics.Of(checkpoint.Config.Data, loaded.Statistics));
        OnnxExport.RefuseOthers(folder, file, named);

        // Embeddings of this model beside an older one would be labels of neither.
        IReadOnlyList<string> files = OnnxExport.Write(options.Out, loaded.Model, loaded.Config, height, width, beside: together =>
        {
            together.Add(Path.Combine(folder, OnnxExport.ClassesName), named.Write);
            together.Add(
                Path.Combine(folder, OnnxExport.ExampleName), stream => stream.Write(Encoding.UTF8.GetBytes(OnnxExport.Example(file))));
        });
        int patch = loaded.Clip.Config.PatchSize;
        common.WriteJson(new
        {
            options.Checkpoint,
            Files = files,
            Height = height,
            Width = width,
            LogitsHeight = height / patch,
            LogitsWidth = width / patch,
            Embedding = loaded.Clip.Config.Embedding,
            Classes = classes.ToArray(),
        });
        common.Out.WriteLine(
            $"{string.Join(", ", files)}: image [N, 3, {height}, {width}] and classes [C, {loaded.Clip.Config.Embedding}] to logits [N, C, "
                + $"{height / patch}, {width / patch}], opset {OnnxGraph.Opset}.");
        common.Out.WriteLine($"{Path.Combine(folder, OnnxExport.ClassesName)}: embeddings of {classes.Count} "
            + $"{(classes.Count == 1 ? "class" : "classes")}; {OnnxExport.ExampleName} beside it uses them.");
        return 0;
    }

    // What can be seen at once is said before anything is loaded.
    private static void CheckOutput(ExportOptions options)
    {
        string suffix = options.Lean ? TensorSuffix : OnnxSuffix, full = Path.GetFullPath(options.Out);
        if (!options.Out.EndsWith(suffix, StringComparison.OrdinalIgnoreCase) || Path.GetFileName(full).Length == suffix.Length)
        {
            throw new InputException($"--out: expected a file NAME{suffix}{(options.Lean ? " with --lean" : " (or --lean for a checkpoint)")}, found "
                + $"{ConfigText.Quote(options.Out)}.");
        }

        if (!Directory.Exists(Path.GetDirectoryName(full)))
        {
            throw new InputException($"{options.Out}: the folder {Path.GetDirectoryName(full)} does not exist.");
        }

        if (full == Path.GetFullPath(options.Checkpoint)
            || (!options.Lean && Path.Combine(Path.GetDirectoryName(full)!, OnnxExport.ClassesName) == Path.GetFullPath(options.Checkpoint)))
        {
            throw new InputException($"--out: the result would replace the checkpoint {options.Checkpoint}; expected another folder or name.");
        }

        AtomicFiles.Probe(options.Out);
        if (!options.Lean)
        {
            OnnxExport.RefuseForeign(Path.GetDirectoryName(full)!);
        }
    }

    private static (int Height, int Width) Size(string text)
    {
        string[] sides = text.ToLowerInvariant().Split('x');
        return sides.Length == 2
            && int.TryParse(sides[0], NumberStyles.None, CultureInfo.InvariantCulture, out int height)
            && int.TryParse(sides[1], NumberStyles.None, CultureInfo.InvariantCulture, out int width)
            && height > 0 && width > 0
            ? (height, width)
            : throw new InputException($"--size: expected height and width in pixels as 512x512, found {ConfigText.Quote(text)}.");
    }
}
