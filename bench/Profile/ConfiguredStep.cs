using Ldvc.Bench.Compare.Ours;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Lab.Synthetic;
using Ldvc.Model;
using Ldvc.Training;

namespace Ldvc.Bench.Profile;

/// <summary>One training step of a configuration file, as `ldvc train` takes it: its data, its augmentation, its model. Nothing is written.</summary>
internal static class ConfiguredStep
{
    private const int WarmUp = 5;

    /// <summary>Takes some steps to warm up, then one with a stopwatch around every kernel.</summary>
    /// <param name="path">The configuration.</param>
    /// <param name="sets">"a.b=value" each, over the file's.</param>
    /// <param name="on">Where to compute.</param>
    /// <returns>The recorder, and where the memory went.</returns>
    /// <exception cref="InputException">The configuration, the CLIP or the data is bad.</exception>
    internal static (KernelRecorder Recorder, string Memory) Record(string path, IReadOnlyList<string> sets, WorkDevice on)
    {
        LdvcConfig config = ConfigLoader.Load(path, sets);
        using var device = on.Open();
        SegmentationDataset training = DrawnData.Registry.OpenTraining(config);
        using LoadedModel loaded = LoadedModel.Create(
            config.Require(config.Clip.Path, "clip.path", "the pretrained CLIP"), config.Model, device, (ulong)config.Train.Seed, training.Classes);
        using var trainer = new LdvcTrainer(loaded, training, config);
        for (int i = 0; i < WarmUp; i++)
        {
            trainer.RunStep();
        }

        double seconds = StepClock.Median(device, () => trainer.RunStep());

        // The first recorded step also compiles the stopwatches; the second one counts.
        KernelRecorder recorder = null!;
        for (int i = 0; i < 2; i++)
        {
            recorder = new KernelRecorder();
            using (recorder.Attach(device))
            {
                trainer.RunStep();
                recorder.EndPhase("step");
            }
        }

        return (recorder, $"{seconds * 1e3:F2} ms a step without the stopwatches; memory in MiB: tensors at most "
            + $"{device.Pool.PeakBytes / (double)(1 << 20):F0}");
    }
}
