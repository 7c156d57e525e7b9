using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.Bench.Profile;

/// <summary>One training step of a configuration file, as `ldvc train` takes it: its data, its augmentation, its model. Nothing is written.</summary>
internal static class ConfiguredStep
{
    private const int WarmUp = 5;

    /// <summary>Takes some steps to warm up, then one with a stopwatch around every kernel.</summary>
    /// <param name="path">The configuration.</param>
    /// <param name="sets">"a.b=value" each, over the file's.</param>
    /// <param name="threads">CPU threads; 0 = one per core.</param>
    /// <returns>The recorder, and where the memory went.</returns>
    /// <exception cref="InputException">The configuration, the CLIP or the data is bad.</exception>
    internal static (KernelRecorder Recorder, string Memory) Record(string path, IReadOnlyList<string> sets, int threads)
    {
        LdvcConfig config = ConfigLoader.Load(path, sets);
        using var device = new CpuDevice(threads);
        SegmentationDataset training = DatasetFactory.OpenTraining(config);
        using LoadedModel loaded = LoadedModel.Create(config.Require(config.Clip.Path, "clip.path", "the pretrained CLIP"), config.Model, device, (ulong)config.Train.Seed);
        using var trainer = new LdvcTrainer(loaded, training, config);
        for (int i = 0; i < WarmUp; i++)
        {
            trainer.RunStep();
        }

        var recorder = new KernelRecorder();
        var plain = device.Kernels;
        recorder.Attach(device);
        trainer.RunStep();
        recorder.EndPhase("step");
        device.Kernels = plain;
        return (recorder, $"memory in MiB: tensors at most {device.Pool.PeakBytes / (double)(1 << 20):F0}");
    }
}
