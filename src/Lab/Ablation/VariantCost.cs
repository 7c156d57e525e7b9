using System.Collections.Concurrent;
using System.Diagnostics;
using Ldvc.Autograd;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Inference;
using Ldvc.Kernels.Devices;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;
using MathNet.Numerics.Statistics;

namespace Ldvc.Lab.Ablation;

/// <summary>What a variant costs, measured before anything is trained.</summary>
internal sealed record VariantCost
{
    private const int Forwards = 5;
    private const double WarmUpSeconds = 1;

    // Models whose code this process has compiled: a second measurement need not wait for that again.
    private static readonly ConcurrentDictionary<(DecoderConfig, MaskHead, string, Precision), bool> s_warm = new();

    /// <summary>SHA-256 over everything the numbers depend on.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Trained parameters.</summary>
    public required long Parameters { get; init; }

    /// <summary>Multiply-adds of one forward of one window, class embeddings already computed.</summary>
    public required long MultiplyAdds { get; init; }

    /// <summary>Windows a second at inference, one at a time, median of five after a warm-up.</summary>
    public required double WindowsPerSecond { get; init; }

    /// <summary>Maximum bytes that tensors held during one training step, weights and the frozen CLIP included.</summary>
    public required long TrainPeakBytes { get; init; }

    /// <summary>Measures a variant; also finds out whether it can be trained at all.</summary>
    /// <exception cref="InputException">It cannot: sizes do not fit together, or the precision does not hold its numbers.</exception>
    internal static VariantCost Measure(
        LdvcConfig config, string clip, SegmentationDataset training, SegmentationDataset validation, Device device, string fingerprint)
    {
        using LoadedModel loaded = LoadedModel.Create(
            config.Clip with { Path = clip }, config.Model, device, (ulong)config.Train.Seed, validation.Classes);
        Evaluator.CreateSegmenter(loaded, validation, config).Dispose();
        using Tensor classes = loaded.EmbedClasses([.. validation.Classes]);
        using Tensor window = Window(device, config.Eval.Window);
        var (adds, seconds) = Time(loaded, classes, window);

        // One step as the training will do it: its peak is that of every later one.
        device.Pool.ResetPeak();
        using (var trainer = new LdvcTrainer(loaded, training, config))
        {
            trainer.RunStep();
        }

        return new VariantCost
        {
            Fingerprint = fingerprint,
            Parameters = loaded.Model.Parameters().Sum(p => p.Parameter.Value.Count),
            MultiplyAdds = adds,
            WindowsPerSecond = 1 / seconds,
            TrainPeakBytes = device.Pool.PeakBytes,
        };
    }

    /// <summary>Multiply-adds of one forward, counted call by call, and its seconds.</summary>
    internal static (long MultiplyAdds, double Seconds) Time(LoadedModel loaded, Tensor classes, Tensor window)
    {
        Device device = loaded.Device;
        void Forward()
        {
            using var tape = new Tape(device, recording: false);
            loaded.Model.Forward(tape, window, tape.Constant(classes.Share()));
            device.Synchronize();
        }

        long adds;
        using (var watch = new KernelWatch(device))
        {
            Forward();
            adds = watch.MultiplyAdds;
        }

        // The first variant that is measured would otherwise pay for compiling what all of them use.
        double warmUp = s_warm.TryAdd((loaded.Config.Decoder, loaded.Config.Head, device.Name, device.Precision), true) ? WarmUpSeconds : 0;
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start).TotalSeconds < warmUp;)
        {
            Forward();
        }

        var times = new double[Forwards];
        foreach (ref double time in times.AsSpan())
        {
            long start = Stopwatch.GetTimestamp();
            Forward();
            time = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        Fp16Overflow.Refuse(device);
        return (adds, times.Median());
    }

    // Noise: route attention chooses by content, and equal patches would all choose alike.
    private static Tensor Window(Device device, int side)
    {
        var random = new CounterRandom(1, 1);
        var values = new float[3 * side * side];
        foreach (ref float value in values.AsSpan())
        {
            value = (float)random.NextNormal();
        }

        return device.FromHost(values, new Shape(1, 3, side, side));
    }
}
