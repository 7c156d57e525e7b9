using System.Security.Cryptography;
using System.Text;
using Ldvc.Configuration;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Training;

namespace Ldvc.Lab.Ablation;

/// <summary>
/// The folder of a comparison: ablation.yaml (resolved), runs/VARIANT/SETTING-seed-N or runs/VARIANT/SETTING-split-NAME-seed-N (ordinary run
/// folders), results/ and costs/ (what was measured, so that nothing is measured twice), trained/ (which program trained what), and the three outputs
/// ablation.md, ablation.json and report.html; ablation-full.md and so on for other settings than inductive.
/// </summary>
internal sealed class AblationFolder
{
    private const string ConfigName = "ablation.yaml";
    private const string RunsName = "runs";
    private const string ResultsName = "results";
    private const string CostsName = "costs";
    private const string TrainedName = "trained";

    private readonly string _suffix;

    private AblationFolder(string root, TrainSetting setting)
    {
        Root = root;

        // Comparisons of several settings share a folder, and the inductive runs in it, but not their tables.
        _suffix = setting == TrainSetting.Inductive ? string.Empty : "-" + ConfigWriter.EnumName(setting);
    }

    /// <summary>The folder.</summary>
    internal string Root { get; }

    internal string MarkdownPath => Path.Combine(Root, $"ablation{_suffix}.md");

    internal string JsonPath => Path.Combine(Root, $"ablation{_suffix}.json");

    internal string ReportPath => Path.Combine(Root, $"report{_suffix}.html");

    /// <summary>runs/voc-inductive-ablation for .../voc/inductive.yaml.</summary>
    internal static string DefaultPath(string configFile) => RunFolder.DefaultPath(configFile) + "-ablation";

    /// <summary>
    /// The comparison's folder when a configuration file is the one in it, wherever the folder lay when that was written; null for other files.
    /// </summary>
    internal static string? Around(string configFile)
    {
        string folder = Path.GetDirectoryName(configFile) is { Length: > 0 } named ? named : ".";
        return Path.GetFileName(configFile) == ConfigName && HasResults(folder) ? folder : null;
    }

    /// <summary>Creates the folder, or opens that of an earlier part of the comparison.</summary>
    /// <exception cref="InputException">It holds something else, or cannot be written.</exception>
    internal static AblationFolder Open(string root, LdvcConfig config)
    {
        if (File.Exists(root) || (Directory.Exists(root) && !File.Exists(Path.Combine(root, ConfigName))
            && Directory.EnumerateFileSystemEntries(root).Any(IsForeign)))
        {
            throw new InputException(
                $"{root}: expected an empty folder or that of a comparison, found something else; choose another ablate.out or --out.");
        }

        if (File.Exists(Path.Combine(root, ConfigName)) && !HasResults(root) && !ConfigWriter.Wrote(Path.Combine(root, ConfigName)))
        {
            throw new InputException(
                $"{root}: expected an empty folder or that of a comparison, found an {ConfigName} that no comparison wrote; choose another "
                    + "ablate.out or --out.");
        }

        Imaging.OutputFolder.Create(root);
        AtomicFile.WriteText(Path.Combine(root, ConfigName), ConfigWriter.ToYaml(config));
        return new AblationFolder(root, config.Train.Setting);
    }

    /// <summary>The folder as the processes of a job see it that do not open it.</summary>
    internal static AblationFolder Join(string root, LdvcConfig config) => new(root, config.Train.Setting);

    private static bool HasResults(string folder) =>
        new[] { RunsName, ResultsName, CostsName }.Any(name => Directory.Exists(Path.Combine(folder, name)));

    // Not what a process that was killed while it wrote ablation.yaml leaves behind.
    private static bool IsForeign(string entry) => !Path.GetFileName(entry).StartsWith($".{ConfigName}.", StringComparison.Ordinal);

    /// <summary>The folder of one training.</summary>
    internal string RunPath(PlannedRun run, TrainSetting setting) =>
        Path.Combine(Root, RunsName, run.Variant.Key, NameOf(run, setting));

    /// <summary>The file of one training's result.</summary>
    internal string ResultPath(PlannedRun run) =>
        Path.Combine(Root, ResultsName, $"{run.Variant.Key}-{NameOf(run, run.Variant.Config.Train.Setting)}.json");

    /// <summary>The file that says which programs trained a run.</summary>
    internal string TrainedPath(PlannedRun run, TrainSetting setting) =>
        Path.Combine(Root, TrainedName, $"{run.Variant.Key}-{NameOf(run, setting)}.json");

    private static string NameOf(PlannedRun run, TrainSetting setting) =>
        $"{ConfigWriter.EnumName(setting)}{(run.Split is { } split ? $"-split-{split.Name}" : "")}-seed-{run.Seed}";

    /// <summary>The file of a variant's cost.</summary>
    internal string CostPath(AblationVariant variant) => Path.Combine(Root, CostsName, variant.Key + ".json");

    /// <summary>SHA-256 over the options that results depend on, and whatever else they do.</summary>
    internal static string Fingerprint(LdvcConfig config, params IEnumerable<string> more)
    {
        var lines = ConfigWriter.Flatten(config).Where(entry => !entry.Option.Rule.Runtime).Select(entry => $"{entry.Key}: {entry.Value}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines.Concat(more)))));
    }
}
