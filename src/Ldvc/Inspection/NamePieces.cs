using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Data;

namespace Ldvc.Inspection;

/// <summary>A class name as a CLIP's tokenizer takes it.</summary>
/// <param name="Name">The name.</param>
/// <param name="Pieces">Tokens of the whole name.</param>
/// <param name="WorstWord">Its word with the most tokens.</param>
/// <param name="WorstPieces">How many that are.</param>
internal sealed record NamePieces(string Name, int Pieces, string WorstWord, int WorstPieces)
{
    // Common words are one token, compounds two; what falls apart further was hardly ever seen with a picture.
    private const int ManyInRun = 3;

    // Runs of letters, digits and signs are cut in any case: "wall-other-stuff" is five tokens and no fault.
    private const int ManyInWord = 6;

    /// <summary>Whether the text tower can hardly know what the name means.</summary>
    internal bool IsBroken { get; private init; }

    /// <summary>The tokenizer of a CLIP; null when there is no vocabulary beside its weights.</summary>
    /// <exception cref="Tensors.InputException">There is no such CLIP, or its vocabulary is damaged.</exception>
    internal static ClipTokenizer? Tokenizer(string clip)
    {
        string folder = ClipCheckpoint.Find(clip).Folder;
        return VocabularyFiles.Exist(folder) ? ClipTokenizer.Load(folder) : null;
    }

    /// <summary>Every name and synonym of a list.</summary>
    internal static IReadOnlyList<NamePieces> Of(ClassList classes, ClipTokenizer tokenizer) =>
        [.. classes.Texts.Select(name => Of(name, tokenizer))];

    /// <summary>The finding, if any name is broken.</summary>
    internal static DataFinding? Finding(IReadOnlyList<NamePieces> names)
    {
        NamePieces[] broken = [.. names.Where(n => n.IsBroken)];
        string[] counted = [.. broken.Select(n => $"{ConfigText.Quote(n.Name)} "
            + $"({n.Pieces}{(n.WorstWord == n.Name ? "" : $", {n.WorstPieces} of them {ConfigText.Quote(n.WorstWord)}")})")];
        return broken.Length == 0
            ? null
            : new DataFinding(
                FindingKind.BrokenNames,
                null,
                $"{PartFindings.Count(broken.Length, "name has a word", "names have words")} that this CLIP's tokenizer breaks into many tokens; "
                    + $"plain English names in separate words are understood better: {PartFindings.Few(counted, quote: false)}",
                [.. broken.Select(n => n.Name)]);
    }

    private static NamePieces Of(string name, ClipTokenizer tokenizer)
    {
        // Start and end are always there.
        int Tokens(string text) => tokenizer.EncodeUnpadded(text).Length - 2;
        var words = TextCleaning.Clean(name).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(
            word => (Word: word, Pieces: Tokens(word))).ToArray();
        var worst = words.MaxBy(w => w.Pieces);
        bool broken = words.Any(w => w.Pieces >= ManyInWord || WordSplitter.Split(w.Word).Any(run => Tokens(run) >= ManyInRun));
        return new NamePieces(name, Tokens(name), worst.Word ?? name, worst.Pieces) { IsBroken = broken };
    }
}
