namespace Ldvc.Configuration;

/// <summary>Where a value was written: a file and line, or a --set argument (line 0).</summary>
internal readonly record struct ConfigOrigin(string Source, int Line)
{
    public override string ToString() => Line > 0 ? $"{Source}:{Line}" : Source;
}

/// <summary>A value as it stands in a YAML file, before anything is known about its key.</summary>
internal abstract class ConfigNode(ConfigOrigin origin)
{
    /// <summary>Where it was written.</summary>
    public ConfigOrigin Origin { get; } = origin;

    /// <summary>What it is, in the words of a message.</summary>
    public abstract string Describe();
}

/// <summary>Text, a number, true, false, or nothing at all.</summary>
internal sealed class ConfigScalar(ConfigOrigin origin, string text, bool quoted) : ConfigNode(origin)
{
    public string Text { get; } = text;

    /// <summary>Quoted and block scalars are always text, never numbers or null.</summary>
    public bool Quoted { get; } = quoted;

    public bool IsNull => !Quoted && Text is "" or "~" or "null";

    public override string Describe() => IsNull ? "nothing" : Quoted ? "the text " + ConfigText.Quote(Text) : ConfigText.Quote(Text);
}

/// <summary>A list of values.</summary>
internal sealed class ConfigList(ConfigOrigin origin, List<ConfigNode> items) : ConfigNode(origin)
{
    public List<ConfigNode> Items { get; } = items;

    public override string Describe() => Items.Count == 1 ? "a list of one value" : $"a list of {Items.Count} values";
}

/// <summary>Keys with values, in the order of the file.</summary>
internal sealed class ConfigMap(ConfigOrigin origin) : ConfigNode(origin)
{
    private readonly Dictionary<string, (ConfigOrigin KeyOrigin, ConfigNode Value)> _entries = new(StringComparer.Ordinal);

    public IEnumerable<(string Key, ConfigOrigin KeyOrigin, ConfigNode Value)> Entries =>
        _entries.Select(entry => (entry.Key, entry.Value.KeyOrigin, entry.Value.Value));

    public bool TryGet(string key, out ConfigNode? value)
    {
        bool found = _entries.TryGetValue(key, out var entry);
        value = entry.Value;
        return found;
    }

    public void Set(string key, ConfigOrigin keyOrigin, ConfigNode value) => _entries[key] = (keyOrigin, value);

    public bool Remove(string key) => _entries.Remove(key);

    /// <summary>Whether it is the way to one key, as --set a.b.c=v names it, and not all that there is.</summary>
    public bool IsPath { get; init; }

    public override string Describe() => "a section of keys";

    /// <summary>
    /// Lays <paramref name="over"/> on top: sections merge key by key, anything else replaces what was there, an option that is a map of its own
    /// (data.values) as well as a list. An empty section ("data:" with all its keys commented out) changes nothing.
    /// </summary>
    /// <param name="over">What counts where both say something.</param>
    /// <param name="path">The dotted key of this section, with a dot at its end; empty for the whole configuration.</param>
    public void Merge(ConfigMap over, string path = "")
    {
        foreach ((string key, ConfigOrigin keyOrigin, ConfigNode value) in over.Entries)
        {
            if (TryGet(key, out ConfigNode? below) && below is ConfigMap section)
            {
                bool whole = ConfigOption.IsMapOption(path + key);
                if (value is ConfigMap inner && (inner.IsPath || !whole))
                {
                    section.Merge(inner, $"{path}{key}.");
                    continue;
                }

                if (value is ConfigScalar { IsNull: true } && !whole)
                {
                    continue;
                }
            }

            Set(key, keyOrigin, value);
        }
    }
}
