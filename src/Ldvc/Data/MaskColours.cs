using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// What the colours of RGB masks mean: a file of lines "r g b name" (or "r, g, b, name"; or "name:r,g,b:parts:actions", as CVAT's labelmap.txt has
/// them; or "name,r,g,b" with a line of titles, as class_dict.csv). A colour without a name means "no label"; # starts a comment. Several colours may
/// be one class.
/// </summary>
internal sealed partial class MaskColours
{
    private readonly List<(int Colour, string? Name)> _lines = [];
    private readonly Dictionary<int, int> _ids = [];
    private readonly string _path;
    private bool _wide;

    private MaskColours(string path) => _path = path;

    /// <summary>The names in the order of their first lines.</summary>
    public IEnumerable<string> Names => _lines.Select(line => line.Name).OfType<string>().DistinctBy(NameSpelling.Key);

    /// <summary>Reads the file.</summary>
    /// <exception cref="InputException">It is missing, not UTF-8, a line is none of these, or a colour stands twice; the message names the
    /// line.</exception>
    public static MaskColours Read(string path)
    {
        var colours = new MaskColours(path);
        var first = new Dictionary<int, int>();
        List<string> lines = InputFile.ReadAllLines(path, "the colours of the masks, r g b name");
        for (int i = 0; i < lines.Count; i++)
        {
            string line = ClassListReader.WithoutComment(lines[i]);
            if (line.Length == 0 || (colours._lines.Count == 0 && Titles().IsMatch(line)))
            {
                continue;
            }

            string place = $"{path}, line {i + 1}";
            var (colour, name) = Parse(line, place);
            if (!first.TryAdd(colour, i + 1))
            {
                throw new InputException($"{place}: colour {Show(colour)} stands on line {first[colour]}, too, expected each once");
            }

            colours._lines.Add((colour, name));
        }

        string[] names = [.. colours._lines.Select(line => line.Name).OfType<string>()];
        Match[] fourth = Array.ConvertAll(names, FourthNumber().Match);
        if (names.Length > 1 && Array.TrueForAll(fourth, match => match.Success && match.Value == fourth[0].Value))
        {
            throw new InputException(
                $"{path}: expected lines of r g b name, found a fourth number on each, as in {ConfigText.Quote(names[^1])} behind the colour");
        }

        return names.Length > 0
            ? colours
            : throw new InputException($"{path}: expected lines of r g b name, found none with a name");
    }

    /// <summary>Gives every name its class.</summary>
    /// <exception cref="InputException">A name is no class, or a class has no colour.</exception>
    public void Resolve(ClassList classes)
    {
        _wide = classes.Count > ClassList.MaxInBytes;
        foreach ((int colour, string? name) in _lines)
        {
            _ids[colour] = name is null ? StoredValue.Ignored : classes.IndicesOf([ClassName.Parse(name, _path).Name], _path)[0];
        }

        LabelTable.RefuseUnreached(classes, [.. _ids.Values], _path, "a colour");
    }

    /// <summary>A mask's colours as train ids.</summary>
    /// <exception cref="InputException">A colour means nothing; the message names the file, the colour and a pixel.</exception>
    public LabelMap Apply(RgbImage mask, string path) => _wide
        ? LabelMap.FromWide(mask.Width, mask.Height, Apply<ushort>(mask, path))
        : new LabelMap(mask.Width, mask.Height, Apply<byte>(mask, path));

    private T[] Apply<T>(RgbImage mask, string path)
        where T : unmanaged, IBinaryInteger<T>
    {
        var labels = new T[mask.Pixels.Length / 3];
        int last = -1, id = StoredValue.Ignored;
        for (int i = 0; i < labels.Length; i++)
        {
            int colour = (mask.Pixels[3 * i] << 16) | (mask.Pixels[(3 * i) + 1] << 8) | mask.Pixels[(3 * i) + 2];
            if (colour != last && !_ids.TryGetValue(colour, out id))
            {
                throw new InputException(
                    $"{path}: colour {Show(colour)} at column {i % mask.Width}, row {i / mask.Width}, expected one of the {_ids.Count} colours in "
                        + $"{_path} "
                    + "(a line without a name is a colour that means no label)");
            }

            last = colour;
            labels[i] = T.CreateTruncating(id);
        }

        return labels;
    }

    /// <summary>The colours with their names, a line each.</summary>
    public override string ToString() => string.Concat(_lines.Select(line => $"{line.Colour:x6} {line.Name}\n"));

    private static (int Colour, string? Name) Parse(string line, string place)
    {
        // CVAT's labelmap.txt: name:r,g,b:parts:actions.
        if (LabelMapLine().Match(line) is { Success: true } match)
        {
            return Parse($"{match.Groups[2].Value} {match.Groups[1].Value}", place);
        }

        if (NameFirst().Match(line) is { Success: true } named)
        {
            return Parse($"{named.Groups[2].Value.Replace(';', ',')} {named.Groups[1].Value}", place);
        }

        // A comma may stand after a number; in a name it belongs to the name.
        int colour = 0;
        string rest = line;
        for (int i = 0; i < 3; i++)
        {
            int end = rest.AsSpan().IndexOfAnyExceptInRange('0', '9');
            string digits = end < 0 ? rest : rest[..end];
            if (!byte.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out byte value) || (i < 2 && end < 0))
            {
                throw new InputException($"{place}: expected r g b name with numbers from 0 to 255, found {ConfigText.Quote(line)}");
            }

            colour = (colour << 8) | value;
            rest = end < 0 ? "" : rest[end..];
            if (rest.Length > 0 && !char.IsWhiteSpace(rest[0]) && rest[0] != ',')
            {
                throw new InputException($"{place}: expected white space or a comma after {value}, found {ConfigText.Quote(line)}");
            }

            rest = rest.TrimStart();
            rest = rest.StartsWith(',') ? rest[1..].TrimStart() : rest;
        }

        return (colour, rest.Length == 0 ? null : ClassName.Parse(rest, place).ToString());
    }

    /// <summary>"(255, 0, 0)".</summary>
    internal static string Show(int colour) => $"({colour >> 16}, {(colour >> 8) & 255}, {colour & 255})";

    [GeneratedRegex("^[0-9]{1,3}[ ,]", RegexOptions.NonBacktracking)]
    private static partial Regex FourthNumber();

    // A table's columns: the name, which begins with no number, and three numbers.
    [GeneratedRegex(@"^([^0-9\s][^,;\t]*)[,;\t]\s*([0-9]+\s*[,;\t]\s*[0-9]+\s*[,;\t]\s*[0-9]+)$", RegexOptions.NonBacktracking)]
    private static partial Regex NameFirst();

    [GeneratedRegex(@"^(name|class)[,;\t]\s*r\s*[,;\t]\s*g\s*[,;\t]\s*b$", RegexOptions.NonBacktracking | RegexOptions.IgnoreCase)]
    private static partial Regex Titles();

    [GeneratedRegex(@"^(.*):([0-9]+, *[0-9]+, *[0-9]+):[^:]*:[^:]*$", RegexOptions.NonBacktracking)]
    private static partial Regex LabelMapLine();
}
