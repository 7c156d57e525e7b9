using System.CommandLine;
using System.Globalization;
using Ldvc.App.Cli;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Lab.Pretraining;
using Ldvc.Lab.Synthetic;
using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Bench.Evidence;

/// <summary>`bench patches`: how well a configuration's CLIP names the things of the configuration's own drawn scenes.</summary>
internal static class PatchesVerb
{
    private const int Windows = 200;

    internal static Command Create()
    {
        var file = new Argument<string>("CONFIG") { Description = "A configuration with data.kind: synthetic." };
        Option<string[]> sets = CommandParts.Sets();
        Option<string> threads = CommandParts.Threads(0);
        var command = new VerbCommand(
            "patches",
            "How often the CLIP of a configuration names objects in windows of its drawn scenes, and single patches of them.",
            "dotnet run -c Release --project bench -- patches configs/evidence/hard.yaml")
        {
            file, sets, threads,
        };
        command.SetAction(
            result => Run(OptionValue.RequiredPath(result, file), CommandParts.Read(result, sets), OptionValue.Threads(result, threads)));
        return command;
    }

    /// <summary>What the verb says of a configuration.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="file">Its file, for messages.</param>
    /// <param name="windows">How many windows of scenes to draw.</param>
    /// <param name="threads">CPU threads; 0 = one per core.</param>
    /// <exception cref="InputException">Its scenes are not drawn ones, or it has no CLIP.</exception>
    internal static string Describe(LdvcConfig config, string file, int windows, int threads)
    {
        if (config.Data.Kind != DataKind.Synthetic || config.Clip.Path is not { } path)
        {
            throw new InputException($"{file}: expected data.kind: synthetic and clip.path, found "
                + $"{ConfigWriter.EnumName(config.Data.Kind)} and {(config.Clip.Path is null ? "no clip.path" : config.Clip.Path)}.");
        }

        ClipCheckpoint files = ClipCheckpoint.Find(path);
        using var device = new CpuDevice(threads);
        using ClipModel model = files.Load(device, LoadedModel.KernelActivation(config.Clip.Activation));
        var clip = new ProbeEmbedder(model, device, ClipTokenizer.Load(files.Folder));
        var probe = new CropProbe(windows, clip.Size, SceneOptions.Of(config.Data.Synthetic), (ulong)config.Data.Synthetic.Seed);
        return $"{windows} windows of {clip.Size} x {clip.Size} pixels, {probe.Prompts.Count} names: "
            + $"{Percent(ZeroShotAccuracy.Measure(clip, probe))} % of the objects, "
            + $"{Percent(PatchAccuracy.Measure(clip, probe))} % of the patches of things";
    }

    private static int Run(string file, string[] sets, int threads)
    {
        Console.WriteLine(Describe(ConfigLoader.Load(file, sets), file, Windows, threads));
        return 0;
    }

    private static string Percent(double share) => (100 * share).ToString("F1", CultureInfo.InvariantCulture);
}
