using System.Globalization;
using System.Reflection;
using Ldvc.Tensors;

namespace Ldvc.Configuration;

/// <summary>Turns a tree of YAML values into an <see cref="LdvcConfig"/>: every key must be an option, every value of its type and range.</summary>
internal sealed class ConfigBinder
{
    private const NumberStyles Whole = NumberStyles.AllowLeadingSign;
    private const NumberStyles Real = Whole | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    private readonly Dictionary<string, ConfigOrigin> _origins = new(StringComparer.Ordinal);

    /// <summary>Binds and checks.</summary>
    /// <param name="root">The merged tree.</param>
    /// <param name="source">The file's path, for messages about values that no file sets.</param>
    /// <param name="written">
    /// Whether people wrote it: then options that do nothing are refused. What is kept in checkpoints may have them, from before they were.
    /// </param>
    /// <exception cref="InputException">An unknown key or a wrong value.</exception>
    public static LdvcConfig Bind(ConfigMap root, string source, bool written = false)
    {
        var binder = new ConfigBinder();
        var config = (LdvcConfig)binder.BindSection(typeof(LdvcConfig), root, "") with { Source = source };
        void Fail(string key, string message) =>
            throw new InputException($"{(binder._origins.TryGetValue(key, out ConfigOrigin origin) ? origin : source)}: {key}: {message}.");
        ConfigRules.Check(config, Fail);
        if (written)
        {
            ConfigRules.CheckUsed(config, Fail);
        }

        return config;
    }

    private object BindSection(Type type, ConfigMap map, string path)
    {
        object section = Activator.CreateInstance(type)!;
        IReadOnlyList<ConfigOption> options = ConfigOption.Of(type);
        foreach ((string key, ConfigOrigin keyOrigin, ConfigNode node) in map.Entries)
        {
            string dotted = path + key;
            ConfigOption option = options.FirstOrDefault(o => o.Key == key)
                ?? throw new InputException($"{keyOrigin}: {Shown(path, key)}: no such key{ConfigText.Suggest(key, options.Select(o => o.Key))}"
                    + $" (known{(path.Length > 0 ? " in " + path.TrimEnd('.') : "")}: {string.Join(", ", options.Select(o => o.Key))}).");
            _origins[dotted] = node.Origin;
            if (!option.IsSection)
            {
                option.Property.SetValue(section, BindValue(option, node, dotted));
            }
            else if (node is ConfigMap inner)
            {
                option.Property.SetValue(section, BindSection(option.Property.PropertyType, inner, dotted + "."));
            }
            else if (node is not ConfigScalar { IsNull: true })
            {
                throw Wrong(node, dotted, "a section of keys");
            }
        }

        return section;
    }

    private static string Shown(string path, string key) =>
        path + (key.Length < 60 && key.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') ? key : ConfigText.Quote(key));

    private static object? BindValue(ConfigOption option, ConfigNode node, string key)
    {
        if (option.IsMap)
        {
            return BindMap(option, node, key);
        }

        if (option.ElementType is not { } element)
        {
            return BindScalar(option, option.ValueType, node, node, key);
        }

        if (option.Rule.Single && node is ConfigScalar)
        {
            var single = Array.CreateInstance(element, 1);
            single.SetValue(BindScalar(option, element, node, node, key), 0);
            return single;
        }

        if (node is not ConfigList list || (option.Rule.Length > 0 && list.Items.Count != option.Rule.Length))
        {
            string hint = node is ConfigScalar { IsNull: false } text ? $" (a list stands in brackets: [{text.Text}])" : "";
            throw Wrong(node, key, option.Expected, hint);
        }

        var values = Array.CreateInstance(element, list.Items.Count);
        for (int i = 0; i < values.Length; i++)
        {
            values.SetValue(BindScalar(option, element, list.Items[i], list.Items[i], key), i);
        }

        return values;
    }

    private static KeyValuePair<int, string>[] BindMap(ConfigOption option, ConfigNode node, string key)
    {
        var entries = new SortedDictionary<int, string>();
        var order = new List<int>();
        foreach ((string number, ConfigOrigin origin, ConfigNode name) in (node as ConfigMap ?? throw Wrong(node, key, option.Expected)).Entries)
        {
            var scalar = new ConfigScalar(origin, number, quoted: false);
            if (Parse(option, typeof(int), scalar) is not int value || name is not ConfigScalar { IsNull: false } text
                || Parse(option, typeof(string), text) is not string word)
            {
                throw Wrong(name is ConfigScalar { IsNull: false } ? scalar : name, $"{key}.{number}", option.Expected);
            }

            // 7 and 07 are one number.
            if (!entries.TryAdd(value, word))
            {
                throw Wrong(scalar, key, $"{value} once");
            }

            order.Add(value);
        }

        return [.. order.Select(value => KeyValuePair.Create(value, entries[value]))];
    }

    private static object? BindScalar(ConfigOption option, Type type, ConfigNode node, ConfigNode shown, string key)
    {
        if (node is not ConfigScalar scalar || (scalar.IsNull && !option.Nullable))
        {
            throw Wrong(shown, key, option.Expected);
        }

        if (scalar.IsNull)
        {
            return null;
        }

        return Parse(option, type, scalar) ?? throw Wrong(shown, key, option.Expected, Hint(option, type, scalar));
    }

    /// <summary>The scalar as a value of the type, null when it is none or lies outside the range.</summary>
    private static object? Parse(ConfigOption option, Type type, ConfigScalar scalar)
    {
        string text = scalar.Text;
        if (type == typeof(string))
        {
            return text.Contains('\0') || string.IsNullOrWhiteSpace(text) ? null : text;
        }

        // A choice is a word, in quotes or not.
        if (type.IsEnum)
        {
            int index = Array.IndexOf(ConfigOption.EnumNames(type), text.Replace('_', '-'));
            return index < 0 ? null : Enum.GetValues(type).GetValue(index);
        }

        if (scalar.Quoted)
        {
            return null;
        }

        if (type == typeof(bool))
        {
            return text switch { "true" => true, "false" => false, _ => null };
        }

        if (type == typeof(int))
        {
            return int.TryParse(text, Whole, CultureInfo.InvariantCulture, out int value) && option.InRange(value) ? value : null;
        }

        if (type == typeof(long))
        {
            return long.TryParse(text, Whole, CultureInfo.InvariantCulture, out long value) && option.InRange(value) ? value : null;
        }

        return double.TryParse(text, Real, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) && option.InRange(number)
            ? number
            : null;
    }

    // A number may be refused for what 32 bits make of it alone.
    private static string Hint(ConfigOption option, Type type, ConfigScalar scalar) =>
        type == typeof(double) && !scalar.Quoted && double.TryParse(scalar.Text, Real, CultureInfo.InvariantCulture, out double number)
            ? option.AsSingle(number)
            : "";

    private static InputException Wrong(ConfigNode node, string key, string expected, string hint = "") =>
        new($"{node.Origin}: {key}: expected {expected}, found {node.Describe()}{hint}.");
}
