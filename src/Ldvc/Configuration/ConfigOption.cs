using System.Collections.Concurrent;
using System.Reflection;

namespace Ldvc.Configuration;

/// <summary>One key of a section: its name, its type and its range, taken from the property that holds it.</summary>
internal sealed class ConfigOption
{
    private static readonly ConcurrentDictionary<Type, ConfigOption[]> Known = new();
    private static readonly NullabilityInfoContext Nullability = new();
    private static readonly Lazy<HashSet<string>> Maps =
        new(() => [.. ConfigWriter.Flatten(new LdvcConfig()).Where(entry => entry.Option.IsMap).Select(entry => entry.Key)]);

    private ConfigOption(PropertyInfo property, OptionAttribute rule)
    {
        Property = property;
        Rule = rule;
        Key = ConfigText.Separate(property.Name, '_');
        Type type = property.PropertyType;
        ElementType = type.IsArray ? type.GetElementType() : null;
        ValueType = System.Nullable.GetUnderlyingType(type) ?? type;
        IsSection = type.IsClass && type != typeof(string) && !type.IsArray;
        Nullable = ValueType != type || (type == typeof(string) && Nullability.Create(property).WriteState == NullabilityState.Nullable);
    }

    public PropertyInfo Property { get; }

    public OptionAttribute Rule { get; }

    /// <summary>The key in YAML.</summary>
    public string Key { get; }

    /// <summary>Whether the key holds further keys.</summary>
    public bool IsSection { get; }

    /// <summary>Whether the value may be left empty.</summary>
    public bool Nullable { get; }

    /// <summary>Type of a list's values; null when the value is no list.</summary>
    public Type? ElementType { get; }

    /// <summary>Whether the value is written as numbers with names.</summary>
    public bool IsMap => ElementType == typeof(KeyValuePair<int, string>);

    /// <summary>Whether a dotted key is that of an option which is written as numbers with names.</summary>
    public static bool IsMapOption(string key) => Maps.Value.Contains(key);

    /// <summary>Type of the value when it is there.</summary>
    public Type ValueType { get; }

    /// <summary>What a value must be, in the words of a message: "a whole number from 1 to 64".</summary>
    public string Expected => IsMap ? $"whole numbers{Range()} with names, {{7: road, 8: sidewalk}}"
        : ElementType is null ? Noun(ValueType, "a ") + Range() + (Nullable ? " (or nothing)" : "")
        : Rule.Length > 0 ? $"a list of {Rule.Length} {Noun(ElementType, "")}s{Range()}"
        : Rule.Single ? $"{Noun(ElementType, "a ")}{Range()} or a list of {Noun(ElementType, "")}s"
        : ElementType.IsEnum ? $"a list out of {string.Join(", ", EnumNames(ElementType))}"
        : $"a list of {Noun(ElementType, "")}s{Range()}";

    /// <summary>The options of a section type, in the order they are declared.</summary>
    public static IReadOnlyList<ConfigOption> Of(Type section) => Known.GetOrAdd(section, static type =>
    {
        lock (Nullability)
        {
            return [.. type.GetProperties()
                .Where(p => p.GetCustomAttribute<OptionAttribute>() is not null)
                .OrderBy(p => p.MetadataToken)
                .Select(p => new ConfigOption(p, p.GetCustomAttribute<OptionAttribute>()!))];
        }
    });

    /// <summary>The names of an enum's values, in the order of the values.</summary>
    public static string[] EnumNames(Type type) => [.. Enum.GetNames(type).Select(name => EnumName(type, name))];

    /// <summary>The name of an enum's value: its own, or its member's in kebab-case.</summary>
    public static string EnumName(Type type, string member) =>
        type.GetField(member)?.GetCustomAttribute<OptionNameAttribute>()?.Name ?? ConfigText.Separate(member, '-');

    /// <summary>The value of a section's option as it is written: a list of one value as that value, where the option takes one.</summary>
    public object? Shown(object? value) => Rule.Single && value is Array { Length: 1 } list ? list.GetValue(0) : value;

    /// <summary>Whether a number is in the option's range, as it is and as a float of 32 bits.</summary>
    public bool InRange(double value) => IsWithin(value) && FitsSingle((float)value);

    /// <summary>What a number that is in the range as it is becomes as a float of 32 bits, for the end of a message; nothing for others.</summary>
    public string AsSingle(double value) => !IsWithin(value) || FitsSingle((float)value) ? ""
        : $", which is {(float.IsFinite((float)value) ? ConfigText.Number((float)value) : "infinite")} in float32";

    private bool IsWithin(double value) =>
        (Rule.Above ? value > Rule.Min : value >= Rule.Min) && (Rule.Below ? value < Rule.Max : value <= Rule.Max);

    // Kernels and the optimiser compute with 32 bits: 1e-60 is 0 there, 0.999999999 is 1, and 1e39 is infinite.
    private bool FitsSingle(float value) =>
        float.IsFinite(value) && (!Rule.Above || value > (float)Rule.Min) && (!Rule.Below || value < (float)Rule.Max);

    private static string Noun(Type type, string article) =>
        type == typeof(string) ? "text"
        : type == typeof(bool) ? "true or false"
        : type.IsEnum ? "one of " + string.Join(", ", EnumNames(type))
        : type == typeof(double) ? article + "number"
        : article + "whole number";

    private string Range()
    {
        bool low = double.IsFinite(Rule.Min);
        bool high = double.IsFinite(Rule.Max);
        string min = ConfigText.Number(Rule.Min);
        string max = ConfigText.Number(Rule.Max);
        return (low, high, Rule.Above, Rule.Below) switch
        {
            (false, false, _, _) => "",
            (true, false, false, _) => $" of at least {min}",
            (true, false, true, _) => $" above {min}",
            (false, true, _, false) => $" of at most {max}",
            (false, true, _, true) => $" below {max}",
            (true, true, false, false) => $" from {min} to {max}",
            (true, true, true, false) => $" above {min}, at most {max}",
            (true, true, false, true) => $" of at least {min}, below {max}",
            (true, true, true, true) => $" above {min}, below {max}",
        };
    }
}
