using System.Text;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Ldvc.Configuration;

/// <summary>
/// Reads YAML text into <see cref="ConfigNode"/>s straight from the parser's events, so that all a hostile or mistaken file could do is refused
/// while it is read: duplicate keys, anchors and aliases (a few lines of them can stand for gigabytes), tags, deep nesting, several documents.
/// </summary>
internal sealed class YamlReader
{
    internal const int LargestFile = 1 << 20;
    internal const int DeepestNesting = 16;

    // A value whose key is missing leads the parser astray: it ends sections too early, or stops.
    private const string NoPair = "expected a key and its value, as in 'key: value'";

    private readonly Scanner _scanner;
    private readonly Parser _parser;
    private readonly string _source;
    private readonly bool _lines;
    private int _depth;

    private YamlReader(string text, string source, bool lines)
    {
        _scanner = new Scanner(new StringReader(text), skipComments: true);
        _parser = new Parser(_scanner);
        _source = source;
        _lines = lines;
    }

    /// <summary>Reads a configuration file; an empty one is an empty section.</summary>
    /// <exception cref="InputException">The file cannot be read, is too large, or is not one plain YAML mapping.</exception>
    public static ConfigMap ReadFile(string path)
    {
        ConfigNode node = Read(ReadText(path), path, lines: true);
        return node switch
        {
            ConfigMap map => map,
            ConfigScalar { IsNull: true } => new ConfigMap(node.Origin),
            _ => throw new InputException($"{node.Origin}: expected keys with values (\"train:\"), found {node.Describe()}."),
        };
    }

    /// <summary>Reads one value, for example that of a --set argument.</summary>
    /// <param name="text">YAML.</param>
    /// <param name="source">What messages call it.</param>
    /// <param name="lines">Whether messages name lines.</param>
    /// <exception cref="InputException">Not one plain YAML value.</exception>
    public static ConfigNode Read(string text, string source, bool lines)
    {
        if (text.Length > LargestFile)
        {
            throw new InputException($"{source}: expected a configuration of at most {LargestFile} characters, found {text.Length}.");
        }

        var reader = new YamlReader(text, source, lines);
        try
        {
            return reader.ReadDocument();
        }
        catch (YamlException e)
        {
            throw new InputException($"{reader.Origin(e.End)}: not valid YAML: {OneLine(e.Message)}.", e);
        }
    }

    private static string ReadText(string path)
    {
        try
        {
            string text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(PlainFile.ReadAll(path, LargestFile, pipes: true));
            return text.StartsWith('\uFEFF') ? text[1..] : text;
        }
        catch (DecoderFallbackException e)
        {
            throw new InputException($"{path}: expected YAML text in UTF-8, found bytes that are not valid UTF-8.", e);
        }
        catch (InputException e) when (Directory.Exists(path) || e.InnerException is FileNotFoundException or DirectoryNotFoundException)
        {
            string found = Directory.Exists(path) ? "it cannot be read: it is a folder" : $"there is none{PlainFile.Why(path)}";
            throw new InputException($"{path}: expected a configuration file, but {found}.", e);
        }
    }

    private static string OneLine(string message) => string.Join(' ', message.Split('\n', '\r')).Trim().TrimEnd('.');

    private ConfigNode ReadDocument()
    {
        Next();
        if (Next() is StreamEnd end)
        {
            return new ConfigScalar(Origin(end.Start), "", quoted: false);
        }

        ConfigNode node = ReadNode(Next());
        Next();
        ParsingEvent after = Next();
        return after is StreamEnd ? node : throw new InputException($"{Origin(after.Start)}: expected one YAML document, found a second one.");
    }

    private ConfigNode ReadNode(ParsingEvent head)
    {
        ConfigOrigin origin = Origin(head.Start);
        if (head is AnchorAlias || (head is NodeEvent node && !node.Anchor.IsEmpty))
        {
            throw new InputException($"{origin}: YAML anchors and aliases (& and *) are not supported; use base: to share values.");
        }

        if (head is NodeEvent { Tag.IsEmpty: false })
        {
            throw new InputException($"{origin}: YAML tags (!) are not supported.");
        }

        if (head is Scalar scalar)
        {
            return new ConfigScalar(origin, scalar.Value, scalar.Style != ScalarStyle.Plain);
        }

        if (++_depth > DeepestNesting)
        {
            throw new InputException($"{origin}: expected at most {DeepestNesting} levels of nesting, found more.");
        }

        ConfigNode result = head switch
        {
            SequenceStart => ReadList(origin),
            MappingStart => ReadMap(origin),
            _ => throw new InputException($"{origin}: not valid YAML: {NoPair}."),
        };
        _depth--;
        return result;
    }

    private ConfigList ReadList(ConfigOrigin origin)
    {
        var items = new List<ConfigNode>();
        for (ParsingEvent next = Next(); next is not SequenceEnd; next = Next())
        {
            items.Add(ReadNode(next));
        }

        return new ConfigList(origin, items);
    }

    private ConfigMap ReadMap(ConfigOrigin origin)
    {
        var map = new ConfigMap(origin);
        for (ParsingEvent next = Next(); next is not MappingEnd; next = Next())
        {
            if (ReadNode(next) is not ConfigScalar key)
            {
                throw new InputException($"{Origin(next.Start)}: expected a word as key, found a list or section.");
            }

            if (map.TryGet(key.Text, out ConfigNode? first))
            {
                string where = first!.Origin.Line > 0 ? $", first on line {first.Origin.Line}" : "";
                throw new InputException($"{key.Origin}: key {ConfigText.Quote(key.Text)} stands here twice{where}.");
            }

            map.Set(key.Text, key.Origin, ReadNode(Next()));
        }

        return map;
    }

    private ParsingEvent Next()
    {
        try
        {
            if (_parser.MoveNext() && _parser.Current is { } next)
            {
                return next;
            }
        }
#pragma warning disable CA1031 // The scanner gives up on some malformed text without an error of its own: whatever it throws, it is the text's fault.
        catch (Exception e) when (e is not YamlException)
#pragma warning restore CA1031
        {
            throw new InputException($"{Origin(_scanner.CurrentPosition)}: not valid YAML.", e);
        }

        throw new InputException($"{Origin(_scanner.CurrentPosition)}: not valid YAML: {NoPair}.");
    }

    private ConfigOrigin Origin(Mark mark) => new(_source, _lines ? (int)mark.Line : 0);
}
