using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Lab.Evidence;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.Lab.Ablation;

/// <summary>
/// Whether a run that does not say which program trained it can have been trained by this one: its first steps are trained again, and their loss must
/// be the logged one to the last bit.
/// </summary>
internal static class FirstSteps
{
    /// <summary>Trains up to the first line of the run's log.</summary>
    /// <param name="root">The run's folder.</param>
    /// <param name="config">The run's configuration.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="datasets">Opens data sets.</param>
    /// <param name="cancellation">Checked before each step.</param>
    /// <returns>Steps that were compared.</returns>
    /// <exception cref="InputException">The log is not there, or says another loss.</exception>
    /// <exception cref="OperationCanceledException">Told to stop.</exception>
    internal static int Check(string root, LdvcConfig config, Device device, DatasetRegistry datasets, CancellationToken cancellation)
    {
        IReadOnlyList<(double Step, double Value)> log = RunMetrics.Read(root, "loss");
        if (log.Count == 0 || config.Train.Setting == TrainSetting.Transductive)
        {
            throw new InputException(
                $"{root}: expected a run that says which program trained it, or an inductive one with a log, found neither: train it again.");
        }

        device.Precision = config.Train.Precision;
        SegmentationDataset training = datasets.OpenTraining(config);
        using LoadedModel loaded = LoadedModel.Create(
            config.Clip, config.Model, device, (ulong)config.Train.Seed, LoadedModel.ReadEmbeddings(config.Model, training.Classes));
        using var trainer = new LdvcTrainer(loaded, training, config);
        double loss = double.NaN;
        for (int step = 0; step < (int)log[0].Step; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            loss = trainer.RunStep().Loss;
        }

        Origin here = Origin.Here;
        return loss == log[0].Value ? (int)log[0].Step : throw new InputException(
            $"{root}: expected the loss that this program has after {log[0].Step} steps, "
            + FormattableString.Invariant($"{loss:R}, found {log[0].Value:R} in its log: it was trained by another arithmetic ")
            + $"(this one is bits {here.Bits} with vectors of {here.VectorBits} bits); train it again in another folder.");
    }
}
