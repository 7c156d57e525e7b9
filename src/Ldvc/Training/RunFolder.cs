using Ldvc.Configuration;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Training;

/// <summary>
/// The folder of one run: config.yaml (resolved), metrics.jsonl, TensorBoard events and checkpoints/. Opening it again resumes the run; a folder that
/// belongs to something else, or to the same run with other settings, is refused. One process at a time holds it.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    private const string ConfigName = "config.yaml";
    private const string LockName = ".lock";

    private readonly FileStream _lock;

    private RunFolder(string root, bool existed, FileStream held)
    {
        Root = root;
        Existed = existed;
        _lock = held;
    }

    /// <summary>The folder.</summary>
    public string Root { get; }

    /// <summary>Whether the run had been started before.</summary>
    public bool Existed { get; }

    /// <summary>The resolved configuration.</summary>
    public string ConfigPath => Path.Combine(Root, ConfigName);

    /// <summary>One JSON object per line.</summary>
    public string MetricsPath => Path.Combine(Root, "metrics.jsonl");

    /// <summary>The checkpoints' folder.</summary>
    public string CheckpointsPath => Path.Combine(Root, "checkpoints");

    /// <summary>runs/voc-inductive for .../voc/inductive.yaml: the name of the file and of its folder (unless that is just "configs").</summary>
    public static string DefaultPath(string configFile)
    {
        string full = Path.GetFullPath(configFile);
        string name = Path.GetFileNameWithoutExtension(full);
        string parent = Path.GetFileName(Path.GetDirectoryName(full)) ?? "";
        return Path.Combine("runs", parent is "" or "configs" ? name : $"{parent}-{name}");
    }

    /// <summary>Creates the run's folder, or opens it again.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="config">The configuration the run is to have.</param>
    /// <exception cref="InputException">The folder holds something else or a run with other settings, is in use, or cannot be written.</exception>
    public static RunFolder Open(string root, LdvcConfig config)
    {
        string configPath = Path.Combine(root, ConfigName);
        bool existed = File.Exists(configPath);
        if (File.Exists(root))
        {
            throw new InputException($"{root}: expected a folder for the run, found a file.");
        }

        if (existed)
        {
            RefuseOtherSettings(configPath, config);
        }
        else if (Directory.Exists(root) && Directory.EnumerateFileSystemEntries(root).Any(entry => Path.GetFileName(entry) != LockName))
        {
            throw new InputException(
                $"{root}: expected an empty folder or that of a run, found files but no {ConfigName}; choose another train.out.");
        }

        FileStream held = Hold(root);
        try
        {
            // Written again on resuming too: values that may change between the two parts of a run are then the current ones.
            AtomicFile.WriteText(configPath, ConfigWriter.ToYaml(config));
            return new RunFolder(root, existed, held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Lets the next process have the folder.</summary>
    public void Dispose() => _lock.Dispose();

    private static void RefuseOtherSettings(string configPath, LdvcConfig config)
    {
        var before = ConfigWriter.Flatten(ConfigLoader.Load(configPath)).ToDictionary(entry => entry.Key, entry => entry.Value);
        foreach ((string key, ConfigOption option, string value) in ConfigWriter.Flatten(config))
        {
            if (!option.Rule.Runtime && before[key] != value)
            {
                throw new InputException(
                    $"{configPath}: {key}: expected {before[key]}, as the run was started with, found {value}; "
                    + "set it back or choose another train.out.");
            }
        }
    }

    private static FileStream Hold(string root)
    {
        string path = Path.Combine(root, LockName);
        try
        {
            Directory.CreateDirectory(root);
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
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
