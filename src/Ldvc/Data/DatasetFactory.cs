using Ldvc.Configuration;
using Ldvc.Synthetic;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>Opens the data set that section data of a configuration describes.</summary>
internal static class DatasetFactory
{
    /// <summary>The training part.</summary>
    internal static SegmentationDataset OpenTraining(LdvcConfig config) => Open(config, training: true);

    /// <summary>The validation part.</summary>
    internal static SegmentationDataset OpenValidation(LdvcConfig config) => Open(config, training: false);

    private static SegmentationDataset Open(LdvcConfig config, bool training)
    {
        var data = config.Data;
        string part = (training ? data.TrainPart : data.ValPart) ?? DefaultPart(data.Kind, training);
        var dataset = data.Kind switch
        {
            DataKind.Voc => VocDataset.Open(Root(config), part),
            DataKind.CocoStuff => CocoStuffDataset.Open(Root(config), part),
            DataKind.Context => PascalContextDataset.Open(Root(config), part, data.Variant == 60),
            DataKind.Folder => FolderDataset.Open(Root(config), part),
            _ => (SegmentationDataset)new SyntheticDataset(Scenes(config, part)),
        };
        if (data.Unseen.Length > 0)
        {
            string source = $"{config.Source}: data.unseen";
            dataset = new ResplitDataset(dataset, ZeroShotSplit.WithUnseen(
                dataset.Classes.Count, dataset.Classes.IndicesOf(data.Unseen, source), source, dataset.Classes));
        }

        if (dataset.Count == 0)
        {
            throw new InputException($"{dataset.Name}: expected at least one picture, found none");
        }

        // Validation pictures are read once a pass, between which hours can lie.
        return training && data.Cache > 0 ? new CachedDataset(dataset, (long)data.Cache << 20) : dataset;
    }

    private static string Root(LdvcConfig config) => config.Require(config.Data.Root, "data.root", "the folder of the data set");

    // The published training part of VOC is train plus SBD.
    private static string DefaultPart(DataKind kind, bool training) => !training ? "val" : kind == DataKind.Voc ? "trainaug" : "train";

    private static SceneDataset Scenes(LdvcConfig config, string part)
    {
        SyntheticConfig scenes = config.Data.Synthetic;
        return part is "train" or "val"
            ? new(part, part == "train" ? scenes.TrainCount : scenes.ValCount, (ulong)scenes.Seed, scenes.Options())
            : throw new InputException($"{config.Source}: expected part train or val of drawn scenes, found {ConfigText.Quote(part)}.");
    }
}
