using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>Opens one part of a kind of data set.</summary>
/// <param name="config">The configuration; section data says where the files lie.</param>
/// <param name="part">The part's name, e.g. "train" or "val".</param>
/// <exception cref="InputException">Files are missing or damaged, or there is no such part.</exception>
public delegate SegmentationDataset DatasetOpener(LdvcConfig config, string part);

/// <summary>
/// The kinds of data sets a program knows, by data.kind. It does not change: a program adds kinds of its own by <see cref="With"/>.
/// </summary>
public sealed class DatasetRegistry
{
    private readonly Dictionary<DataKind, DatasetOpener> _openers;

    private DatasetRegistry(Dictionary<DataKind, DatasetOpener> openers) => _openers = openers;

    /// <summary>The kinds that lie on disk: voc, coco-stuff, context, folder.</summary>
    public static DatasetRegistry Files { get; } = new(new Dictionary<DataKind, DatasetOpener>
    {
        [DataKind.Voc] = (config, part) => Ignoring(config, VocDataset.Open(Root(config), part)),
        [DataKind.CocoStuff] = (config, part) => Ignoring(config, CocoStuffDataset.Open(Root(config), part)),
        [DataKind.Context] = (config, part) => Ignoring(config, PascalContextDataset.Open(Root(config), part, config.Data.Variant == 60)),
        [DataKind.Folder] = (config, part) => Ignoring(config, FolderDataset.Open(Root(config), part, config)),
    });

    /// <summary>A registry that knows one kind more, or opens one otherwise.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="open">Opens it.</param>
    public DatasetRegistry With(DataKind kind, DatasetOpener open) => new(new Dictionary<DataKind, DatasetOpener>(_openers)
    {
        [kind] = open ?? throw new ArgumentNullException(nameof(open)),
    });

    /// <summary>The training part of the data set that section data describes.</summary>
    /// <exception cref="InputException">It cannot be opened, or is of a kind that this registry does not know.</exception>
    public SegmentationDataset OpenTraining(LdvcConfig config) => Open(config, training: true);

    /// <summary>The validation part.</summary>
    /// <exception cref="InputException">As for <see cref="OpenTraining"/>.</exception>
    public SegmentationDataset OpenValidation(LdvcConfig config) => Open(config, training: false);

    private SegmentationDataset Open(LdvcConfig config, bool training)
    {
        var data = config.Data;
        string part = (training ? data.TrainPart : data.ValPart) ?? DefaultPart(data.Kind, training);
        if (!_openers.TryGetValue(data.Kind, out DatasetOpener? open))
        {
            string known = string.Join(", ", _openers.Keys.Select(kind => ConfigWriter.EnumName(kind)));
            throw new InputException(
                $"{config.Place}data.kind: expected one of {known}, which this program can open, found {ConfigWriter.EnumName(data.Kind)}.");
        }

        SegmentationDataset dataset = open(config, part) ?? throw new InvalidOperationException(
            $"the opener of data.kind {ConfigWriter.EnumName(data.Kind)} gave null for part {ConfigText.Quote(part)}, expected a data set");
        if (data.Unseen.Length > 0)
        {
            string source = $"{config.Place}data.unseen";
            dataset = new ResplitDataset(dataset, ZeroShotSplit.WithUnseen(
                dataset.Classes.Count, dataset.Classes.IndicesOf(data.Unseen, source), source, dataset.Classes));
        }

        DatasetCheck.Parts(dataset);

        // Validation pictures are read once a pass, between which hours can lie.
        return training && data.Cache > 0 ? new CachedDataset(dataset, (long)data.Cache << 20) : dataset;
    }

    private static FileDataset Ignoring(LdvcConfig config, FileDataset dataset)
    {
        dataset.IgnoreValues(config.Data.Ignore);
        return dataset;
    }

    private static string Root(LdvcConfig config) => config.Require(config.Data.Root, "data.root", "the folder of the data set");

    // The published training part of VOC is train plus SBD.
    private static string DefaultPart(DataKind kind, bool training) => !training ? "val" : kind == DataKind.Voc ? "trainaug" : "train";
}
