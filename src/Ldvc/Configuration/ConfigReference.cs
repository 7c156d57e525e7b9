using System.Globalization;
using System.Text;

namespace Ldvc.Configuration;

/// <summary>The reference page docs/configuration.md, made from the options themselves; a test compares the two.</summary>
internal static class ConfigReference
{
    /// <summary>The page as Markdown.</summary>
    public static string ToMarkdown()
    {
        var page = new StringBuilder(
            """
            # Configuration

            Every option with its default. A configuration file sets only what differs; `ldvc config FILE` prints the result with all defaults, and
            `--set train.lr=1e-4` on the command line overrides one value. `base: other.yaml` (a path, or a list of paths, relative to the file that
            names it) reads other files first: sections merge key by key, anything else is replaced, lists and data.values as a whole. All other
            relative paths are relative to the working directory. Unknown keys, wrong types and values out of range are errors that name the
            file, the line and the key.
            Options marked * may differ when a run is resumed; the others may not.

            Sources: the paper (arXiv 2403.08426) where it gives a value; the recipe of ZegCLIP and route attention as in BiFormer where it does not.


            """);
        WriteSection(page, new LdvcConfig(), "", "");
        return page.ToString().TrimEnd('\n') + "\n";
    }

    private static void WriteSection(StringBuilder page, object section, string path, string text)
    {
        IReadOnlyList<ConfigOption> options = ConfigOption.Of(section.GetType());
        if (path.Length > 0)
        {
            page.Append("## ").Append(path).Append("\n\n").Append(text).Append("\n\n");
        }

        ConfigOption[] values = [.. options.Where(o => !o.IsSection)];
        if (values.Length > 0)
        {
            page.Append("| key | default | value | meaning |\n|---|---|---|---|\n");
            foreach ((string key, ConfigOption option, string value) in ConfigWriter.Flatten(section).Where(entry => values.Contains(entry.Option)))
            {
                page.Append(
                    CultureInfo.InvariantCulture,
                    $"| {key}{(option.Rule.MayDiffer ? " *" : "")} | `{value}` | {Cell(option.Expected)} | "
                        + $"{Cell(option.Rule.Text)} |\n");
            }

            page.Append('\n');
        }

        foreach (ConfigOption option in options.Where(o => o.IsSection))
        {
            string inner = path.Length > 0 ? path + "." + option.Key : option.Key;
            WriteSection(page, option.Property.GetValue(section)!, inner, option.Rule.Text);
        }
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
