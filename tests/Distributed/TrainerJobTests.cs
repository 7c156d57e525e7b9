using Ldvc.Configuration;
using Ldvc.Distributed;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Distributed;

/// <summary>Any number of processes trains the same model: losses, weights and the optimiser's moments.</summary>
public sealed class TrainerJobTests
{
    private const int Steps = 3;

    private static readonly LdvcConfig Plain = new()
    {
        Model = new ModelConfig
        {
            Prompts = new PromptConfig { Vision = 2, Dropout = 0.2 },
            Decoder = new DecoderConfig { Dropout = 0.2, Layers = 2, Windows = 2, Topk = 2 }
        },
        Augment = new AugmentConfig { Scale = [64, 48], Crop = 32 },
        Train = new TrainConfig { Batch = 12, Seed = 5, Warmup = 0, Lr = 1e-3, Iterations = 100 },
        Data = new DataConfig { Workers = 1 },
    };

    public static TheoryData<string> Settings => ["plain", "accumulate", "clip_grad", "transductive", "zegclip", "per picture"];

    [Theory]
    [MemberData(nameof(Settings))]
    public void AnyNumberOfProcessesComputesTheSameFunction(string name)
    {
        LdvcConfig config = Configure(name);
        Trained alone = Assert.Single(Train(config, 1));
        Assert.NotEqual(alone.Losses[0], alone.Losses[^1]);
        foreach (int size in name == "plain" ? new[] { 2, 3, 4 } : name == "accumulate" ? [2, 3] : [2])
        {
            Trained[] ranks = Train(config, size);
            foreach (Trained rank in ranks)
            {
                for (int i = 0; i < Steps; i++)
                {
                    Assert.Equal(alone.Losses[i], rank.Losses[i], 1e-5 * alone.Losses[i]);
                }

                // All processes hold the same bits; those of another number of processes differ by the order of sums.
                Assert.Equal(ranks[0].Weights, rank.Weights);
                Assert.Equal(ranks[0].Losses, rank.Losses);
            }

            Close(alone.Weights, ranks[0].Weights, 1e-4);
        }
    }

    [Fact]
    public void TheSameNumberOfProcessesTwiceGivesTheSameBits()
    {
        Trained first = Train(Plain, 3)[0], second = Train(Plain, 3)[0];
        Assert.Equal(first.Losses, second.Losses);
        Assert.Equal(first.Weights, second.Weights);
    }

    [Fact]
    public void AGroupOfOneIsTheProgramOfOneProcess()
    {
        using var device = new CpuDevice(1);
        using LoadedModel loaded = LoadedModel.Create(TinyClip.Folder, Plain.Model, device, 5);
        using var trainer = new LdvcTrainer(loaded, new MemoryDataset(20), Plain);
        double[] losses = [.. Enumerable.Range(0, Steps).Select(_ => trainer.RunStep().Loss)];
        Trained grouped = Train(Plain, 1)[0];
        Assert.Equal(losses, grouped.Losses);
        Assert.Equal(Weights(loaded), grouped.Weights);
    }

    [Theory]
    [InlineData(12, 1, 5, "train.batch is 12, expected a multiple of 5, the number of processes of the job")]
    [InlineData(12, 4, 2, "train.batch / train.accumulate is 12 / 4 = 3, expected a multiple of 2, the number of processes of the job")]
    public void ABatchThatCannotBeSharedIsRefused(int batch, int accumulate, int processes, string expected)
    {
        LdvcConfig config = Plain with { Train = Plain.Train with { Batch = batch, Accumulate = accumulate } };
        Assert.Contains(expected, Ranks.Refuse(processes, job => job.Together(() => Train(config, job))));
    }

    [Fact]
    public void ABrokenPictureOfOneProcessIsEverybodys()
    {
        // Twelve pictures, one batch: picture 3 belongs to one of the processes.
        var dataset = new MemoryDataset(12, 3, new InputException("m3.jpg: broken, expected a picture"));
        Assert.Matches("^rank [0-3]: m3.jpg: broken, expected a picture$", Ranks.Refuse(4, job => Train(Plain, job, dataset)));
    }

    [Fact]
    public void ADivergedProcessNamesItselfAndItsPictures()
    {
        string said = Ranks.Refuse(2, job =>
        {
            using var device = new CpuDevice(1);
            using LoadedModel loaded = LoadedModel.Create(TinyClip.Folder, Plain.Model, device, 5);
            using var trainer = new LdvcTrainer(loaded, new MemoryDataset(20), Plain, job);
            if (job.Group.Rank == 1)
            {
                Tensor weights = loaded.Model.Parameters().Single(p => p.Name == "decoder.layers.1.cross.q.weight").Parameter.Value;
                float[] values = weights.ToArray();
                values[3] = float.NaN;
                weights.CopyFromHost<float>(values);
            }

            try
            {
                trainer.RunStep();
            }
            finally
            {
                Assert.True(trainer.HasDiverged);
            }
        });
        Assert.Matches("^training stopped at step 0: rank 1: the loss is NaN; first bad tensor: parameter decoder.layers.1.cross.q.weight "
            + "\\(pictures m.*\\); try a lower train.lr$", said);
    }

    [Fact]
    public void WeightsThatDriftApartAreNoticed()
    {
        Assert.Contains("the digest of the trained weights is", Ranks.Refuse(2, job =>
        {
            using var device = new CpuDevice(1);
            using LoadedModel loaded = LoadedModel.Create(TinyClip.Folder, Plain.Model, device, job.IsFirst ? 5UL : 6UL);
            using var trainer = new LdvcTrainer(loaded, new MemoryDataset(20), Plain, job);
            ((ITrainable)trainer).Verify();
        }));
    }

    private static LdvcConfig Configure(string name) => name switch
    {
        "accumulate" => Plain with { Train = Plain.Train with { Accumulate = 2 } },
        "clip_grad" => Plain with { Train = Plain.Train with { ClipGrad = 0.5 } },
        "transductive" => Plain with
        {
            Train =
            Plain.Train with { Setting = TrainSetting.Transductive, Transductive = new TransductiveConfig { Iterations = 100 } }
        },
        "zegclip" => Plain with
        {
            Model = Plain.Model with
            {
                Prompts = Plain.Model.Prompts with { Text = 0 },
                Decoder = new DecoderConfig { Kind = DecoderKind.ClassQuery, Attention = SelfAttention.None, Layers = 2 }
            },
        },
        "per picture" => Plain with { Model = Plain.Model with { Prompts = Plain.Model.Prompts with { DropoutPer = PromptDropout.Picture } } },
        _ => Plain,
    };

    private static Trained[] Train(LdvcConfig config, int size) => Ranks.Run(size, job => Train(config, job));

    private static Trained Train(LdvcConfig config, JobMember job, MemoryDataset? dataset = null)
    {
        using var device = new CpuDevice(1);
        using LoadedModel loaded = LoadedModel.Create(TinyClip.Folder, config.Model, device, 5);
        using var trainer = new LdvcTrainer(loaded, dataset ?? new MemoryDataset(20), config, job);
        double[] losses = [.. Enumerable.Range(0, Steps).Select(_ => trainer.RunStep().Loss)];
        return new Trained(losses, Weights(loaded));
    }

    private static float[] Weights(LoadedModel loaded) => [.. loaded.Model.Parameters().SelectMany(p => p.Parameter.Value.ToArray())];

    private static void Close(float[] expected, float[] actual, double share)
    {
        double bound = share * expected.Max(MathF.Abs);
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(expected[i] - actual[i]) <= bound, $"weight {i}: {expected[i]} and {actual[i]} differ by more than {bound}");
        }
    }

    private sealed record Trained(double[] Losses, float[] Weights);
}
