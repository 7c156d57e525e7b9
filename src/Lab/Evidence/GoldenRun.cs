using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Inference;
using Ldvc.Kernels.Simd;
using Ldvc.Lab.Synthetic;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.Lab.Evidence;

/// <summary>
/// The golden training run: fifty steps of the whole method on the demo's scenes, and the labels of two scenes after them. Its hash changes with any
/// change of the arithmetic, be it only the order of a sum: then every number that was measured by training is another program's.
/// </summary>
internal static class GoldenRun
{
    private const int Steps = 50;
    private const int Scenes = 2;
    private const int Digits = 16;

    /// <summary>The vector widths that it is run with; each sums in an order of its own.</summary>
    internal static readonly int[] Widths = [128, 256, 512];

    // Written down here and not in a file: a demo that is set otherwise is no other arithmetic.
    private static LdvcConfig Config(string clip) => new()
    {
        Clip = new ClipConfig { Path = clip },
        Data = new DataConfig
        {
            Kind = DataKind.Synthetic,
            Workers = 1,
            Synthetic = new SyntheticConfig { TrainCount = 2 * Steps, ValCount = Scenes },
        },
        Augment = new AugmentConfig { Scale = [128, 128], Ratio = [0.75, 1.5], Crop = 48 },
        Model = new ModelConfig { Head = MaskHead.Dot, AdapterInit = AdapterInit.Identity, Decoder = new DecoderConfig { Windows = 2, Topk = 2 } },
        Train = new TrainConfig { Iterations = Steps, Batch = 2, Lr = 3e-3, Warmup = 5 },
        Eval = new EvalConfig { ShortSide = 128, Window = 128, Stride = 128, SeenPenalty = 0.05 },
    };

    /// <summary>The run's hash: trained weights, then labels.</summary>
    /// <param name="clip">The demo's CLIP.</param>
    /// <param name="width">Vector width in bits. It holds for the whole process meanwhile.</param>
    /// <exception cref="InputException">The CLIP is missing.</exception>
    internal static string Hash(string clip, int width)
    {
        int before = SimdLevel.Bits;
        SimdLevel.Bits = width;
        try
        {
            return Hash(Config(clip));
        }
        finally
        {
            SimdLevel.Bits = before;
        }
    }

    /// <summary>All widths, by width in bits.</summary>
    /// <param name="clip">The demo's CLIP.</param>
    internal static SortedDictionary<string, string> Measure(string clip) =>
        new(Widths.ToDictionary(width => $"{width}", width => Hash(clip, width)), StringComparer.Ordinal);

    private static string Hash(LdvcConfig config)
    {
        using var device = new CpuDevice(1);
        SegmentationDataset validation = DrawnData.Registry.OpenValidation(config);
        using LoadedModel loaded = LoadedModel.Create(config.Clip, config.Model, device, (ulong)config.Train.Seed, validation.Classes);
        using (var trainer = new LdvcTrainer(loaded, DrawnData.Registry.OpenTraining(config), config))
        {
            for (int step = 0; step < Steps; step++)
            {
                trainer.RunStep();
            }
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (_, parameter) in loaded.Model.Parameters())
        {
            hash.AppendData(MemoryMarshal.AsBytes<float>(parameter.Value.ToArray()));
        }

        using Segmenter segmenter = Evaluator.CreateSegmenter(loaded, validation, config);
        for (int scene = 0; scene < Scenes; scene++)
        {
            hash.AppendData(segmenter.Segment(validation.ReadImage(scene)).Labels.Labels);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..Digits];
    }
}
