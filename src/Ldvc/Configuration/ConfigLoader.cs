using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Configuration;

/// <summary>
/// From a configuration file to a checked <see cref="LdvcConfig"/>: the files named by `base:` first (one path or a list, relative to the file that
/// names them, later ones over earlier ones), the file itself over them, `--set` over everything.
/// </summary>
public static class ConfigLoader
{
    private const string BaseKey = "base";

    // A chain of bases is a handful of files; more means a mistake (or files that multiply by naming each other twice).
    private const int MaxFiles = 64;

    /// <summary>Reads a configuration file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="sets">"a.b=value" each; the value is YAML.</param>
    /// <exception cref="InputException">Any file or value is not as it must be; the sentence names file, line and key.</exception>
    public static LdvcConfig Load(string path, params IReadOnlyList<string> sets)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(sets);
        int files = 0;
        ConfigMap root = LoadFile(path, [], ref files);
        foreach (string set in sets)
        {
            root.Merge(ParseSet(set));
        }

        return WithFullPaths(ConfigBinder.Bind(root, path, written: true));
    }

    // The home folder and environment variables in paths. What is kept of a run holds them as they were.
    private static LdvcConfig WithFullPaths(LdvcConfig config)
    {
        string? Full(string? path, string key) => path is null ? null : PathText.Expand(path, $"{config.Place}{key}");
        return config with
        {
            Clip = config.Clip with { Path = Full(config.Clip.Path, "clip.path") },
            Data = config.Data with { Root = Full(config.Data.Root, "data.root"), Colors = Full(config.Data.Colors, "data.colors") },
            Model = config.Model with { ClassEmbeddings = Full(config.Model.ClassEmbeddings, "model.class_embeddings") },
            Train = config.Train with
            {
                Out = Full(config.Train.Out, "train.out"),
                Transductive = config.Train.Transductive with { From = Full(config.Train.Transductive.From, "train.transductive.from") },
            },
            Pretrain = config.Pretrain with { Init = Full(config.Pretrain.Init, "pretrain.init"), Out = Full(config.Pretrain.Out, "pretrain.out") },
            Ablate = config.Ablate with
            {
                Out = Full(config.Ablate.Out, "ablate.out"),
                Splits = [.. config.Ablate.Splits.Select(file => Full(file, "ablate.splits")!)],
            },
        };
    }

    /// <summary>Reads a resolved configuration that is kept as text, in a checkpoint's metadata for example; it has no bases.</summary>
    /// <param name="yaml">The text.</param>
    /// <param name="source">What to call it in messages.</param>
    /// <exception cref="InputException">A value is not as it must be.</exception>
    public static LdvcConfig Parse(string yaml, string source) => Parse(yaml, source, []);

    /// <summary>The same with "a.b=value" each over it.</summary>
    internal static LdvcConfig Parse(string yaml, string source, IReadOnlyList<string> sets)
    {
        ArgumentNullException.ThrowIfNull(yaml);
        if (YamlReader.Read(yaml, source, lines: true) is not ConfigMap root)
        {
            throw new InputException($"{source}: expected keys with values.");
        }

        foreach (string set in sets)
        {
            root.Merge(ParseSet(set));
        }

        return ConfigBinder.Bind(root, source);
    }

    private static ConfigMap LoadFile(string path, List<string> chain, ref int files)
    {
        string full = Path.GetFullPath(path);
        if (chain.Contains(full))
        {
            throw new InputException($"{path}: base: expected a chain of files that ends, but this one is its own base.");
        }

        if (++files > MaxFiles)
        {
            throw new InputException($"{path}: base: expected at most {MaxFiles} files in all, found more.");
        }

        ConfigMap own = YamlReader.ReadFile(path);
        if (!own.TryGet(BaseKey, out ConfigNode? bases))
        {
            return own;
        }

        own.Remove(BaseKey);
        chain.Add(full);
        var merged = new ConfigMap(own.Origin);
        foreach (string basePath in BasePaths(bases!))
        {
            string resolved = Path.Combine(Path.GetDirectoryName(path) ?? "", PathText.Expand(basePath, $"{bases!.Origin}: {BaseKey}"));
            if (!Path.Exists(resolved))
            {
                throw new InputException(
                    $"{bases!.Origin}: base: expected a configuration file, but there is no {ConfigText.Quote(resolved)}{PlainFile.Why(resolved)}.");
            }

            merged.Merge(LoadFile(resolved, chain, ref files));
        }

        chain.RemoveAt(chain.Count - 1);
        merged.Merge(own);
        return merged;
    }

    private static IEnumerable<string> BasePaths(ConfigNode bases)
    {
        IEnumerable<ConfigNode> nodes = bases is ConfigList list ? list.Items : [bases];
        foreach (ConfigNode node in nodes)
        {
            yield return node is ConfigScalar { IsNull: false } scalar && scalar.Text.Length > 0 && !scalar.Text.Contains('\0')
                ? scalar.Text
                : throw new InputException($"{node.Origin}: base: expected the path of a file or a list of paths, found {node.Describe()}.");
        }
    }

    /// <summary>"a.b=v" as a tree of its own, to be merged like a file.</summary>
    private static ConfigMap ParseSet(string argument)
    {
        int equals = argument.IndexOf('=', StringComparison.Ordinal);
        string[] keys = equals < 0 ? [] : argument[..equals].Trim().Split('.');
        if (keys.Length == 0 || keys.Any(string.IsNullOrWhiteSpace))
        {
            throw new InputException($"--set {ConfigText.Quote(argument)}: expected KEY=VALUE with a dotted key, for example train.lr=1e-4.");
        }

        // Bytes of the command line that are no UTF-8 arrive so.
        if (argument.Contains('\uFFFD', StringComparison.Ordinal))
        {
            throw new InputException($"--set {ConfigText.Quote(argument)}: expected text in UTF-8, found bytes that are not.");
        }

        if (keys is [BaseKey])
        {
            throw new InputException("--set base: a base can only be named in a file.");
        }

        string source = "--set " + string.Join('.', keys), text = argument[(equals + 1)..].Trim();
        ConfigNode value = YamlReader.Read(text, source, lines: false);
        if (value is ConfigScalar { Quoted: false } plain && plain.Text != text && text.Contains('#', StringComparison.Ordinal))
        {
            throw new InputException(
                $"{source}: expected a value without a comment, found {ConfigText.Quote(text)}: what follows a blank and # is one in YAML, and would "
                    + "be lost; put the value in quotes.");
        }

        for (int i = keys.Length - 1; i >= 0; i--)
        {
            var section = new ConfigMap(value.Origin) { IsPath = true };
            section.Set(keys[i], value.Origin, value);
            value = section;
        }

        return (ConfigMap)value;
    }
}
