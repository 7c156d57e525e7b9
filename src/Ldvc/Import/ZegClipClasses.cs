using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Tensors;

namespace Ldvc.Import;

/// <summary>Which classes a checkpoint of ZegCLIP knows, which of them had masks, and in which setting it was trained.</summary>
/// <param name="Kind">The data set whose list it is; folder for any other list.</param>
/// <param name="Classes">The names in the order of its labels.</param>
/// <param name="Split">Seen and unseen ones.</param>
/// <param name="Setting">The setting.</param>
internal sealed record ZegClipClasses(DataKind Kind, ClassList Classes, ZeroShotSplit Split, TrainSetting Setting)
{
    /// <summary>The names that had masks.</summary>
    internal IEnumerable<ClassName> Seen => Setting == TrainSetting.Full ? Classes.Classes : Split.Seen.Select(id => Classes.Classes[id]);

    /// <summary>Finds out, from what the user says, else from the file's notes, else from the number of classes in training.</summary>
    /// <param name="request">What the user says.</param>
    /// <param name="notes">The file's notes.</param>
    /// <param name="trained">Classes in training by the loss's buffer; null when it is not in the file.</param>
    /// <exception cref="InputException">The three contradict each other, or do not suffice.</exception>
    internal static ZegClipClasses Find(ImportRequest request, ZegClipNotes notes, int? trained)
    {
        ClassList classes = ListOf(request, notes, trained);
        (DataKind kind, ZeroShotSplit? published) = Known(classes);
        ZeroShotSplit? split = SplitOf(request, notes, classes) ?? published;
        TrainSetting setting = SettingOf(request, notes, trained, classes, split);
        if (split is null && setting != TrainSetting.Full)
        {
            throw new InputException(
                $"{request.File}: its {classes.Count} classes are none of the published lists and its notes do not say which of them had no masks; "
                + "expected --unseen \"NAME, NAME\".");
        }

        // Masks of all classes: whichever split is published, none was unseen.
        return new ZegClipClasses(kind, classes, split ?? ZeroShotSplit.AllSeen(classes.Count), setting);
    }

    private static ClassList ListOf(ImportRequest request, ZegClipNotes notes, int? trained)
    {
        if (request.ClassesFile is { } file)
        {
            ClassList own = ClassList.FromLabelFile(file);
            if (notes.Classes is { } noted)
            {
                RefuseOtherOrder(own, noted, request);
            }

            return own;
        }

        if (notes.HasOtherClasses)
        {
            throw new InputException(
                $"{request.File}: its notes hold something else than a list of class names under CLASSES; expected --classes-file FILE with the "
                    + "names, one a line.");
        }

        if (notes.Classes is { } names)
        {
            return new ClassList(names, $"{request.File}: CLASSES");
        }

        (ClassList Classes, ZeroShotSplit Split)[] known = [KnownDatasets.Voc2012(), KnownDatasets.CocoStuff164k()];
        return known.FirstOrDefault(set => trained == set.Classes.Count || trained == set.Split.Seen.Length).Classes
            ?? throw new InputException(
                $"{request.File}: has no class names among its notes; expected --classes-file FILE with the names, one a line.");
    }

    // Other names for the same classes are welcome. The file's own at other places would get other classes' embeddings and masks.
    private static void RefuseOtherOrder(ClassList own, string[] noted, ImportRequest request)
    {
        if (noted.Length != own.Count)
        {
            throw new InputException($"{request.ClassesFile}: {own.Count} class names, expected {noted.Length}, as {request.File} was trained with.");
        }

        for (int i = 0; i < noted.Length; i++)
        {
            if (own.IndexOf(noted[i]) is >= 0 and var at && at != i)
            {
                throw new InputException(
                    $"{request.ClassesFile}: class {at} is {ConfigText.Quote(noted[i])}, expected it as class {i}, as {request.File} was trained "
                        + "with: "
                        + "the names must stand in the order of its labels.");
            }
        }
    }

    private static (DataKind Kind, ZeroShotSplit? Split) Known(ClassList classes)
    {
        (DataKind Kind, (ClassList Classes, ZeroShotSplit Split) Set)[] known =
        [
            (DataKind.Voc, KnownDatasets.Voc2012()), (DataKind.CocoStuff, KnownDatasets.CocoStuff164k()),
            (DataKind.Context, KnownDatasets.PascalContext()), (DataKind.Context, KnownDatasets.PascalContext(background: true)),
        ];
        foreach (var (kind, set) in known)
        {
            if (set.Classes.SequenceEqual(classes, StringComparer.OrdinalIgnoreCase))
            {
                return (kind, set.Split);
            }
        }

        return (DataKind.Folder, null);
    }

    private static ZeroShotSplit? SplitOf(ImportRequest request, ZegClipNotes notes, ClassList classes)
    {
        if (request.Unseen is { } names)
        {
            int[] given = classes.IndicesOf(names, "--unseen");
            if (notes.Unseen is { Length: > 0 } noted && !noted.Order().SequenceEqual(given.Order()))
            {
                string others = string.Join(", ", noted.Select(id => id >= 0 && id < classes.Count ? classes[id] : $"class {id}"));
                throw new InputException(
                    $"--unseen: {request.File} was trained without masks of {others}, as its notes say (novel_class); expected these, or no "
                        + "--unseen.");
            }

            return ZeroShotSplit.WithUnseen(classes.Count, given, "--unseen", classes);
        }

        return notes.Unseen is { Length: > 0 } ids ? ZeroShotSplit.WithUnseen(classes.Count, ids, $"{request.File}: novel_class", classes) : null;
    }

    private static TrainSetting SettingOf(ImportRequest request, ZegClipNotes notes, int? trained, ClassList classes, ZeroShotSplit? split)
    {
        string Trained() => $"{request.File} was trained with {trained} of {classes.Count} class names ({ZegClipNames.LossWeights} has one more)";
        int unseen = split?.Unseen.Length ?? 0;
        bool all = trained == classes.Count, seenOnly = unseen > 0 && trained == classes.Count - unseen;
        if (trained is { } count && !all && split is null && count < classes.Count)
        {
            // An unknown list, and which of its names are unseen is asked for next.
            return TrainSetting.Inductive;
        }

        if (trained is not null && !all && !seenOnly)
        {
            string expected = unseen > 0 ? $"{classes.Count - unseen} (inductive) or {classes.Count}" : $"{classes.Count}";
            throw new InputException(
                $"{Trained()}, expected {expected}; if the list or the split is another one, say so with --classes-file or --unseen.");
        }

        if (request.Setting is { } given)
        {
            if (notes.Stated is { } stated && stated != given)
            {
                throw new InputException(
                    $"--setting: expected {ConfigWriter.EnumName(stated)}, as the notes in {request.File} say (self_training, novel_class), found "
                        + $"{ConfigWriter.EnumName(given)}; leave the option out.");
            }

            return trained is null || (given == TrainSetting.Inductive ? seenOnly : all)
                ? given
                : throw new InputException(
                    $"--setting: {Trained()}, which is {(seenOnly ? "inductive" : "transductive or full")}, found {ConfigWriter.EnumName(given)}.");
        }

        if (seenOnly)
        {
            return TrainSetting.Inductive;
        }

        // All names: with masks of all classes, or with pseudo labels for the unseen ones.
        return notes.Setting is { } noted && (trained is null || noted != TrainSetting.Inductive) ? noted
            : trained is not null && unseen == 0 ? TrainSetting.Full
            : throw new InputException(trained is null
                ? $"{request.File}: does not say in which setting it was trained; expected --setting inductive, transductive or full."
                : $"{request.File}: was trained with the names of all {classes.Count} classes, and does not say whether with pseudo labels or with "
                    + "masks of "
                    + "the unseen ones; expected --setting transductive or --setting full.");
    }
}
