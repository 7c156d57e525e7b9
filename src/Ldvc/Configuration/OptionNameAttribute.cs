namespace Ldvc.Configuration;

/// <summary>The name of an enum's value in YAML where it cannot be made from the member's name.</summary>
[AttributeUsage(AttributeTargets.Field)]
internal sealed class OptionNameAttribute(string name) : Attribute
{
    /// <summary>The name.</summary>
    public string Name { get; } = name;
}
