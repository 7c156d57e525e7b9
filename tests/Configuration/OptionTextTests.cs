using System.Reflection;
using System.Xml.Linq;
using Ldvc.Configuration;
using Xunit;

namespace Ldvc.Tests.Configuration;

/// <summary>
/// An option has two readers: `ldvc config` and docs/configuration.md take the attribute's text, a programmer's editor the XML documentation. Both
/// say the same.
/// </summary>
public sealed class OptionTextTests
{
    [Fact]
    public void DocumentationSaysWhatTheOptionSays()
    {
        var documents = XDocument.Load(Path.ChangeExtension(typeof(LdvcConfig).Assembly.Location, ".xml"));
        var summaries = documents.Descendants("member").ToDictionary(
            m => m.Attribute("name")!.Value, m => OneLine(m.Element("summary")?.Value ?? ""));
        var options = typeof(LdvcConfig).Assembly.GetTypes().SelectMany(t => t.GetProperties())
            .Select(
                property => (Property: property, Option: property.GetCustomAttribute<OptionAttribute>())).Where(o => o.Option is not null).ToList();
        Assert.NotEmpty(options);
        Assert.All(options, o => Assert.Equal(o.Option!.Text, summaries[$"P:{o.Property.DeclaringType!.FullName}.{o.Property.Name}"]));
    }

    private static string OneLine(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
