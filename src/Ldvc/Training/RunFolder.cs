using System.Text.Json;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Training;

/// <summary>
/// The folder of one run: config.yaml (resolved), metrics.jsonl, TensorBoard events, checkpoints/ and, at the end, scores. It is opened again only to
/// resume the run; a folder that belongs to something else, or to a run with other settings, is refused. One process at a time holds it.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    /// <summary>What pixel accuracy is called in metrics.jsonl: every evaluation's line has it.</summary>
    internal const string AccuracyKey = "pixel_accuracy";

    private const string ConfigName = "config.yaml";
    private const string MetricsName = "metrics.jsonl";
    private const string ScoresName = "scores.json";
    private const string LockName = ".lock";
    private const string PicturesKey = "pictures_sha256";
    private const string Pretraining = "pretrain.";
    private const string Scoring = "eval.";

    // Null in the processes of a job that do not write.
    private readonly FileStream? _lock;

    private RunFolder(string root, bool existed, FileStream? held, IReadOnlyList<string> changes)
    {
        Root = root;
        Existed = existed;
        Changes = changes;
        _lock = held;
    }

    /// <summary>The folder.</summary>
    public string Root { get; }

    /// <summary>Whether the run had been started before.</summary>
    public bool Existed { get; }

    /// <summary>What is other than in the run's last part though its results depend on it, a sentence each.</summary>
    public IReadOnlyList<string> Changes { get; }

    /// <summary>The resolved configuration.</summary>
    public string ConfigPath => Path.Combine(Root, ConfigName);

    /// <summary>One JSON object per line.</summary>
    public string MetricsPath => Path.Combine(Root, MetricsName);

    /// <summary>The last evaluation.</summary>
    public string ScoresPath => Path.Combine(Root, ScoresName);

    /// <summary>The step that the last evaluation was of; null when there was none that can be read.</summary>
    public long? ScoredStep()
    {
        try
        {
            return JsonText.Read(ScoresPath, scores => scores.GetProperty("step").GetInt64());
        }
        catch (InputException)
        {
            return null;
        }
    }

    /// <summary>Whether metrics.jsonl has the scores of a step.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    public bool LogHasScores(long step) =>
        MetricsLines.Read(MetricsPath, line => MetricsLines.StepOf(line) == step && line.TryGetProperty(AccuracyKey, out _)).Any(line => line.Wanted);

    /// <summary>
    /// Refuses to go on with evaluations on the way that would be of other pictures than those before: their curve, and the best of them, would mean
    /// nothing. Files from before 0.2.0 do not say which pictures they are of.
    /// </summary>
    /// <param name="root">The run's folder.</param>
    /// <param name="validation">The pictures.</param>
    /// <exception cref="InputException">The last evaluation was of others.</exception>
    public static void RefuseOtherValidation(string root, SegmentationDataset validation)
    {
        string path = Path.Combine(root, ScoresName);
        string? before = null;
        try
        {
            before = JsonText.Read(path, scores => scores.TryGetProperty(PicturesKey, out JsonElement digest) ? digest.GetString() : null);
        }
        catch (InputException)
        {
            // There was no evaluation, or a damaged file of it.
        }

        if (before is not null && before != SampleDigest.Of(validation))
        {
            throw new InputException(
                $"{validation.Name}: expected the pictures, in their order, that {path} is of, since the evaluations of a run are compared, found "
                    + $"other ones ({validation.Count} now); set them back or choose another train.out.");
        }
    }

    /// <summary>The checkpoints' folder.</summary>
    public string CheckpointsPath => CheckpointsOf(Root);

    /// <summary>The checkpoints' folder of a run that is not open.</summary>
    public static string CheckpointsOf(string root) => Path.Combine(root, "checkpoints");

    /// <summary>runs/voc-inductive for .../voc/inductive.yaml: the name of the file and of its folder (unless that is just "configs").</summary>
    public static string DefaultPath(string configFile)
    {
        string full = Path.GetFullPath(configFile);
        string name = Path.GetFileNameWithoutExtension(full);
        string parent = Path.GetFileName(Path.GetDirectoryName(full)) ?? "";
        return Path.Combine("runs", parent is "" or "configs" ? name : $"{parent}-{name}");
    }

    /// <summary>
    /// The run's folder when a configuration file is the one in it. The folder may have been moved or copied since the file was written, and what
    /// goes on is the run that the file lies in, not what lies now, or does not, where it was.
    /// </summary>
    /// <param name="configFile">The file, as it was typed.</param>
    /// <returns>The folder; null when the file is another one.</returns>
    public static string? Around(string configFile)
    {
        string folder = Path.GetDirectoryName(configFile) is { Length: > 0 } named ? named : ".";
        bool isRun = Directory.Exists(CheckpointsOf(folder)) || new[] { MetricsName, LockName }.Any(name => File.Exists(Path.Combine(folder, name)));
        return isRun && Path.GetFileName(configFile) == ConfigName ? folder : null;
    }

    /// <summary>Refuses a folder that <see cref="Open"/> would refuse, before anything long is begun. Nothing is written.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="config">The configuration the run is to have.</param>
    /// <param name="resume">Whether a run that is there is to be continued.</param>
    /// <param name="key">The option that names the folder, for messages.</param>
    /// <param name="exact">Whether a run is refused as well that was started in another precision.</param>
    /// <param name="scored">Whether all that is left to do is to score it, so that options of section eval may be others.</param>
    /// <returns>Whether the run had been started before.</returns>
    /// <exception cref="InputException">The folder holds something else, or a run that is not to be continued or has other settings.</exception>
    public static bool Check(
        string root, LdvcConfig config, bool resume, string key = "train.out", bool exact = false, bool scored = false)
    {
        string configPath = Path.Combine(root, ConfigName);
        if (File.Exists(root))
        {
            throw new InputException($"{root}: expected a folder for the run, found a file.");
        }

        if (!File.Exists(configPath))
        {
            return Directory.Exists(root) && Directory.EnumerateFileSystemEntries(root).Any(entry => !IsOurs(Path.GetFileName(entry)))
                ? throw new InputException(
                    $"{root}: expected an empty folder or that of a run, found files but no {ConfigName}; choose another {key}.")
                : false;
        }

        if (!Directory.Exists(CheckpointsOf(root)) && !File.Exists(Path.Combine(root, LockName)) && !ConfigWriter.Wrote(configPath))
        {
            throw new InputException(
                $"{root}: expected an empty folder or that of a run, found a {ConfigName} that no run wrote; choose another {key}.");
        }

        if (!resume)
        {
            throw new InputException($"{root}: expected an empty folder, found a run; add --resume to continue it, or choose another {key}.");
        }

        Compare(configPath, config, key, exact, scored);
        return true;
    }

    /// <summary>Creates the run's folder, or opens it again.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="config">The configuration the run is to have.</param>
    /// <param name="resume">Whether a run that is there is to be continued.</param>
    /// <param name="key">The option that names the folder, for messages.</param>
    /// <exception cref="InputException">As for <see cref="Check"/>; or the folder is in use, or cannot be written.</exception>
    public static RunFolder Open(string root, LdvcConfig config, bool resume, string key = "train.out")
    {
        bool existed = Check(root, config, resume, key);
        string configPath = Path.Combine(root, ConfigName);
        IReadOnlyList<string> changes = existed ? Compare(configPath, config, key, exact: false) : [];
        FileStream held = Hold(root);
        try
        {
            foreach (string leftover in Directory.EnumerateFiles(root, ".*.tmp").Where(path => IsOurs(Path.GetFileName(path))))
            {
                File.Delete(leftover);
            }

            // Written again on resuming too: values that may change between the two parts of a run are then the current ones.
            AtomicFile.WriteText(configPath, ConfigWriter.ToYaml(config));
            return new RunFolder(root, existed, held, changes);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>The folder as the processes of a job see it that do not write; another one holds it.</summary>
    public static RunFolder Join(string root) => new(root, existed: true, held: null, changes: []);

    /// <summary>Lets the next process have the folder.</summary>
    public void Dispose() => _lock?.Dispose();

    // Refuses other settings; what may be another one is told.
    private static List<string> Compare(string configPath, LdvcConfig config, string outKey, bool exact, bool scored = false)
    {
        // Training reads nothing of section pretrain, and pretraining nothing else.
        bool pretraining = outKey.StartsWith(Pretraining, StringComparison.Ordinal);
        var changes = new List<string>();
        var before = ConfigWriter.Flatten(ConfigLoader.Load(configPath)).ToDictionary(entry => entry.Key, entry => entry.Value);
        foreach ((string key, ConfigOption option, string value) in ConfigWriter.Flatten(config))
        {
            bool moved = option.Rule.Place && before[key] != ConfigWriter.Nothing && value != ConfigWriter.Nothing;
            if (option.Rule.Runtime || before[key] == value || moved || key.StartsWith(Pretraining, StringComparison.Ordinal) != pretraining)
            {
                continue;
            }

            if (scored && key.StartsWith(Scoring, StringComparison.Ordinal))
            {
                continue;
            }

            if (exact || !option.Rule.MayChange)
            {
                throw new InputException(
                    $"{configPath}: {key}: expected {before[key]}, as the run was started with, found {value}; "
                    + $"set it back or choose another {outKey}.");
            }

            changes.Add($"{key} is {value} from here on, it was {before[key]}");
        }

        return changes;
    }

    // What a process that was killed before the configuration was written leaves behind: the lock, and files that never got their names.
    private static bool IsOurs(string name) =>
        name == LockName
        || (name.EndsWith(".tmp", StringComparison.Ordinal)
            && new[] { ConfigName, MetricsName, ScoresName }.Any(own => name.StartsWith($".{own}.", StringComparison.Ordinal)));

    private static FileStream Hold(string root)
    {
        string path = Path.Combine(root, LockName);
        try
        {
            Directory.CreateDirectory(root);
            return OutputFile.Hold(path);
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new InputException($"{root}: expected a folder no one else is writing to, found another ldvc process at work there.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new InputException($"{root}: cannot be used for a run ({e.Message})", e);
        }
    }
}
