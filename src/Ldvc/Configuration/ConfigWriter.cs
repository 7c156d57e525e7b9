using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Configuration;

/// <summary>Prints a configuration with every option, as YAML that <see cref="ConfigLoader"/> reads back to the same values, or as JSON.</summary>
internal static class ConfigWriter
{
    /// <summary>An option that is not set, as YAML.</summary>
    internal const string Nothing = "null";

    /// <summary>
    /// Whether a file is what <see cref="ToYaml"/> writes. Writing one anew that a person wrote would lose its comments, its base and its order.
    /// </summary>
    /// <param name="path">The file.</param>
    internal static bool Wrote(string path)
    {
        try
        {
            return Encoding.UTF8.GetString(PlainFile.ReadAll(path, 1 << 20)) == ToYaml(ConfigLoader.Load(path));
        }
        catch (InputException)
        {
            return false;
        }
    }

    /// <summary>The whole configuration as YAML.</summary>
    public static string ToYaml(LdvcConfig config)
    {
        var text = new StringBuilder();
        WriteSection(text, config, 0);
        return text.ToString();
    }

    /// <summary>Every option that is no section, by dotted key, with its value as YAML.</summary>
    public static IReadOnlyList<(string Key, ConfigOption Option, string Value)> Flatten(object section, string path = "")
    {
        var all = new List<(string, ConfigOption, string)>();
        foreach (ConfigOption option in ConfigOption.Of(section.GetType()))
        {
            object? value = option.Property.GetValue(section);
            if (option.IsSection)
            {
                all.AddRange(Flatten(value!, path + option.Key + "."));
            }
            else
            {
                all.Add((path + option.Key, option, Value(option.Shown(value))));
            }
        }

        return all;
    }

    /// <summary>The configuration as nested dictionaries, for JSON.</summary>
    public static Dictionary<string, object?> ToDictionary(object section)
    {
        var map = new Dictionary<string, object?>();
        foreach (ConfigOption option in ConfigOption.Of(section.GetType()))
        {
            object? value = option.Property.GetValue(section);
            map[option.Key] = option.IsSection ? ToDictionary(value!) : value switch
            {
                Enum e => EnumName(e),
                KeyValuePair<int, string>[] entries => entries.ToDictionary(
                    entry => entry.Key.ToString(CultureInfo.InvariantCulture), entry => entry.Value),
                _ => option.Shown(value),
            };
        }

        return map;
    }

    /// <summary>The name of an enum value as it stands in YAML.</summary>
    public static string EnumName(Enum value) => ConfigOption.EnumName(value.GetType(), value.ToString());

    private static void WriteSection(StringBuilder text, object section, int indent)
    {
        foreach (ConfigOption option in ConfigOption.Of(section.GetType()))
        {
            object? value = option.Property.GetValue(section);
            text.Append(' ', indent).Append(option.Key).Append(':');
            if (option.IsSection)
            {
                text.Append('\n');
                WriteSection(text, value!, indent + 2);
            }
            else
            {
                text.Append(' ').Append(Value(option.Shown(value))).Append('\n');
            }
        }
    }

    /// <summary>One value as it stands in YAML.</summary>
    internal static string Value(object? value) => value switch
    {
        null => Nothing,
        bool flag => flag ? "true" : "false",
        string text => Text(text),
        Enum name => EnumName(name),
        double number => ConfigText.Number(number),
        KeyValuePair<int, string>[] map => "{" + string.Join(", ", map.Select(entry => $"{entry.Key}: {Text(entry.Value)}")) + "}",
        IEnumerable list => "[" + string.Join(", ", list.Cast<object?>().Select(Value)) + "]",
        _ => value.ToString()!,
    };

    /// <summary>Bare when nothing in it could mean something to YAML, else in double quotes (JSON's escapes are YAML's too).</summary>
    private static string Text(string text)
    {
        bool bare = text.Length > 0 && char.IsAsciiLetter(text[0]) && text[^1] != ' '
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is ' ' or '_' or '-' or '.' or '/')
            && text is not ("null" or "true" or "false");
        return bare ? text : JsonSerializer.Serialize(text, JsonText.Plain);
    }
}
