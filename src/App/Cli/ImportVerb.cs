using System.CommandLine;
using Ldvc.App.Terminal;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Import;
using Ldvc.Tensors;

namespace Ldvc.App.Cli;

/// <summary>What `ldvc import` is told.</summary>
/// <param name="Request">The file, its CLIP, and what the file itself may not say.</param>
/// <param name="Out">The checkpoint to write.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record ImportOptions(ImportRequest Request, string Out, CommonOptions Common);

/// <summary>`ldvc import`: a published checkpoint of ZegCLIP as one of ours.</summary>
internal static class ImportVerb
{
    /// <summary>The verb on the command line.</summary>
    /// <param name="host">Where it writes, and whether it has been told to stop.</param>
    public static Command Create(VerbHost host)
    {
        var file = new Argument<string>("FILE") { Description = "A checkpoint of ZegCLIP (.pth, as its authors publish it)." };
        Option<string> clip = CommandParts.Clip();
        var embeddings = new Option<string?>("--embeddings")
        {
            HelpName = "FILE.npy",
            Description = "The class embeddings that it was trained with, a row for each class; without, they are computed from the names.",
        };
        var setting = new Option<string?>("--setting")
        {
            HelpName = "S",
            Description = "How it was trained: inductive | transductive | full; needed where the file does not say.",
        };
        var classes = new Option<string?>("--classes-file")
        {
            HelpName = "FILE",
            Description = "The class names in the order of its labels, one a line; needed where the file does not say.",
        };
        var unseen = new Option<string?>("--unseen")
        {
            HelpName = "NAMES",
            Description = "The classes without masks, separated by commas; needed for lists other than VOC's, COCO-Stuff's and Context's.",
        };
        Option<string[]> sets = CommandParts.Sets();
        Option<string> output = CommandParts.Out(
            "F.safetensors", "The checkpoint to write; eval, segment and serve take it like one of `ldvc train`.");
        var command = new VerbCommand(
            "import",
            "Makes a checkpoint of a file that ZegCLIP's authors published (docs/models.md).",
            "ldvc import zegclip_voc_inductive.pth --clip ViT-B-16.pt --out zegclip-voc.safetensors")
        {
            file,
            clip,
            embeddings,
            setting,
            classes,
            unseen,
            sets,
            output,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => Run(new ImportOptions(
            new ImportRequest(
                OptionValue.RequiredPath(result, file),
                OptionValue.RequiredPath(result, clip),
                OptionValue.Path(result, embeddings),
                Setting(setting.Name, OptionValue.Text(result, setting)),
                OptionValue.Path(result, classes),
                OptionValue.Text(result, unseen) is { } names ? [.. ClassList.FromLine(names, unseen.Name)] : null,
                CommandParts.Read(result, sets)),
            OptionValue.OutputFile(result, output!)!,
            common.Read(result, host))));
        return command;
    }

    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">The file is none of ZegCLIP's or damaged, the CLIP is another one, or something has to be said.</exception>
    public static int Run(ImportOptions options)
    {
        CommonOptions common = options.Common;
        ImportRequest request = options.Request;
        OptionValue.RefuseOtherFormat("--out", options.Out);
        foreach (string input in new[] { request.File, request.Clip, request.Embeddings, request.ClassesFile }.OfType<string>())
        {
            if (Path.GetFullPath(input) == Path.GetFullPath(options.Out))
            {
                throw new InputException($"--out: {options.Out} would replace a file that was given; expected another one.");
            }
        }

        using Device device = common.OpenDevice();
        ZegClipImport imported = ZegClipImport.Run(request, device);
        common.Cancellation.ThrowIfCancellationRequested();
        imported.Writer.Save(options.Out);
        ZegClipClasses classes = imported.Classes;
        int seen = classes.Seen.Count();
        string setting = ConfigWriter.EnumName(classes.Setting), source = request.Embeddings ?? "computed from "
            + $"\"{string.Join("\", \"", imported.Config.Model.Template)}\"";
        EvalConfig eval = imported.Config.Eval;
        common.Out.WriteLine(
            $"{options.Out}: {ConfigWriter.EnumName(classes.Kind)}, {setting}, {classes.Classes.Count} classes, {seen} of them with masks, step "
                + $"{imported.Step}");
        common.Out.WriteLine(
            $"its CLIP is {request.Clip}; class embeddings: {source}; short side {eval.ShortSide}, windows of {eval.Window}, stride {eval.Stride}");
        bool published = imported.Config.Model.Template.SequenceEqual(ZegClipTemplates.CocoStuff);
        if (request.Embeddings is null && classes.Kind == DataKind.CocoStuff && !published)
        {
            common.Out.WriteLine(
                "note: the published files of COCO-Stuff were trained with the mean of 15 sentences a class; their scores need these, or "
                    + "--embeddings coco_multi.npy (docs/models.md)");
        }

        common.WriteJson(new
        {
            options.Out,
            request.File,
            request.Clip,
            request.Embeddings,
            Data = ConfigWriter.EnumName(classes.Kind),
            Setting = setting,
            imported.Step,
            Classes = classes.Classes.ToArray(),
            Seen = classes.Seen.Select(name => name.Name).ToArray(),
            Eval = ConfigWriter.ToDictionary(eval),
        });
        return 0;
    }

    private static TrainSetting? Setting(string option, string? text)
    {
        TrainSetting[] all = Enum.GetValues<TrainSetting>();
        int found = Array.FindIndex(all, setting => ConfigWriter.EnumName(setting) == text);
        return text is null ? null
            : found >= 0 ? all[found]
            : throw new InputException($"{option}: expected inductive, transductive or full, found {ConfigText.Quote(text)}.");
    }
}
