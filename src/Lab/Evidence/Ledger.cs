using System.Text.Json;
using System.Text.Json.Nodes;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Lab.Evidence;

/// <summary>The folder results/: one JSON file an entry, and bits.json.</summary>
internal static class Ledger
{
    private const string Solution = "Ldvc.sln";
    private const string FolderName = "results";
    private const int LongestName = 64;

    /// <summary>Where entries are written: results/ of the repository that a place lies in, else of the place itself.</summary>
    internal static string FolderFor(string place) => Path.Combine(SourceTree.Above(place, Solution) ?? place, FolderName);

    /// <summary>Checks the name of an entry.</summary>
    /// <param name="name">The name, which becomes the file's.</param>
    /// <param name="option">The option that gave it.</param>
    /// <exception cref="InputException">It holds other signs, or is taken.</exception>
    internal static string CheckName(string name, string option)
    {
        if (name.Length is 0 or > LongestName || !char.IsAsciiLetterOrDigit(name[0])
            || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
        {
            throw new InputException(
                $"{option}: expected a name of at most {LongestName} letters, digits, '-' and '_', found {ConfigText.Quote(name)}.");
        }

        return name != Path.GetFileNameWithoutExtension(BitsHistory.FileName)
            ? name
            : throw new InputException($"{option}: expected another name than '{name}', which is the history of the arithmetic.");
    }

    /// <summary>The file of an entry.</summary>
    internal static string PathOf(string folder, string name) => Path.Combine(folder, name + ".json");

    /// <summary>Reads an entry.</summary>
    /// <exception cref="InputException">It is missing or damaged.</exception>
    internal static LedgerEntry Read(string folder, string name) => JsonText.Read<LedgerEntry>(PathOf(folder, name));

    /// <summary>Writes an entry, in place of one of this name.</summary>
    /// <returns>The file.</returns>
    /// <exception cref="InputException">It cannot be written.</exception>
    internal static string Write(string folder, string name, LedgerEntry entry)
    {
        OutputFolder.Create(folder);
        string path = PathOf(folder, name);
        JsonText.Write(path, entry);
        return path;
    }

    /// <summary>A configuration as an entry has it: without where it writes, and without the sections that its verb does not read.</summary>
    internal static JsonObject Configuration(LdvcConfig config)
    {
        LdvcConfig placeless = config with { Train = config.Train with { Out = null }, Ablate = config.Ablate with { Out = null } };
        Dictionary<string, object?> sections = ConfigWriter.ToDictionary(placeless);
        sections.Remove("pretrain");
        return JsonSerializer.SerializeToNode(sections, JsonText.Format)!.AsObject();
    }
}
