using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Tensors;

namespace Ldvc.Lab.Synthetic;

/// <summary>Drawn scenes among the data sets: data.kind synthetic.</summary>
internal static class DrawnData
{
    /// <summary>Every kind of data set: those on disk, and drawn scenes.</summary>
    internal static DatasetRegistry Registry { get; } = DatasetRegistry.Files.With(DataKind.Synthetic, Open);

    private static SyntheticDataset Open(LdvcConfig config, string part)
    {
        SyntheticConfig scenes = config.Data.Synthetic;
        return part is "train" or "val"
            ? new(new SceneDataset(part, part == "train" ? scenes.TrainCount : scenes.ValCount, (ulong)scenes.Seed, SceneOptions.Of(scenes)))
            : throw new InputException($"{config.Place}expected part train or val of drawn scenes, found {ConfigText.Quote(part)}.");
    }
}
