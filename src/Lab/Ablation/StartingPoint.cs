using System.Security.Cryptography;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Lab.Ablation;

/// <summary>
/// The checkpoint of train.transductive.from, which every transductive run of a comparison starts from in place of the half-way checkpoint of an
/// inductive run of its own. It is of one model, so only rows of that model can be compared so.
/// </summary>
/// <param name="Path">The file.</param>
/// <param name="Sha256">Of its bytes: another file is another comparison.</param>
internal sealed record StartingPoint(string Path, string Sha256)
{
    /// <summary>Opens it; null when none is named, or nothing starts from one.</summary>
    /// <param name="config">The configuration of the comparison.</param>
    /// <param name="plan">Its rows.</param>
    /// <param name="validation">The data set under every split.</param>
    /// <exception cref="InputException">A row cannot start from it.</exception>
    internal static StartingPoint? Open(LdvcConfig config, AblationPlan plan, IReadOnlyList<SegmentationDataset> validation)
    {
        if (config.Train.Setting != TrainSetting.Transductive)
        {
            return null;
        }

        if (config.Train.Transductive.From is not { } from)
        {
            return config.Train.Iterations > 1 ? null : throw new InputException(
                $"{config.Place}train.iterations: expected at least 2 for inductive runs that transductive ones start from half-way, found "
                    + $"{config.Train.Iterations}.");
        }

        try
        {
            using LdvcCheckpoint start = LdvcCheckpoint.Open(RunCheckpoint.HalfWay(from));
            foreach (SegmentationDataset data in validation)
            {
                start.RefuseSeen([.. data.Split.Unseen.Select(id => data.Classes[id])], data.Name);
            }

            foreach (AblationVariant variant in plan.Variants)
            {
                start.RefuseOtherModel(variant.Config with { Source = $"row {variant.Key}" });
            }

            using FileStream file = PlainFile.Open(start.Path);
            return new StartingPoint(start.Path, Convert.ToHexStringLower(SHA256.HashData(file)));
        }
        catch (InputException e)
        {
            throw new InputException(
                $"{config.Place}train.transductive.from: expected a checkpoint that all rows can start from; {e.Message.TrimEnd('.')}; with "
                    + "--set train.transductive.from=null each run starts from the half-way checkpoint of an inductive run of its own.",
                e);
        }
    }
}
