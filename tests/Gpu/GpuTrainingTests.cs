using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// Whole steps on OpenCL: the losses follow the CPU's, nothing but the loss crosses the bus back, nothing is allocated after the first steps.
/// </summary>
[Collection("opencl")]
public class GpuTrainingTests(OpenClFixture fixture)
{
    private const int Steps = 8;

    // The method as it is: route attention, prompts, dropout; masks are functions of a counter, so both devices drop the same elements.
    private static readonly LdvcConfig Config = new()
    {
        Model = new ModelConfig { Prompts = new PromptConfig { Vision = 2 }, Decoder = new DecoderConfig { Layers = 2 } },
        Augment = new AugmentConfig { Scale = [96, 64], Crop = 64 },
        Train = new TrainConfig { Batch = 2, Seed = 5, Warmup = 2 },
        Data = new DataConfig { Workers = 1 },
    };

    [Theory]
    [InlineData("Inductive")]
    [InlineData("Transductive")]
    public void LossesFollowTheCpu(string setting)
    {
        var config = Config with { Train = Config.Train with { Setting = Enum.Parse<TrainSetting>(setting) } };
        using var cpu = new CpuDevice(1);
        double[] expected = Losses(cpu, config, _ => { }), actual = Losses(fixture.Twin.Device, config, _ => { });
        for (int step = 0; step < Steps; step++)
        {
            Assert.True(
                Math.Abs(expected[step] - actual[step]) <= 1e-4 * expected[step], $"step {step}: CPU {string.Join(", ", expected)}; OpenCL "
                    + $"{string.Join(", ", actual)}");
        }

        Assert.True(expected[^1] < expected[0]);
    }

    [Fact]
    public void OnlyTheLossComesBackAndNothingIsAllocated()
    {
        var counters = fixture.Twin.Device.Counters;
        var seen = new List<(long Downloads, long Bytes, long Buffers, long Allocations)>();
        Losses(
            fixture.Twin.Device,
            Config,
            _ => seen.Add((counters.DownloadCount, counters.DownloadBytes, counters.BufferCount, fixture.Twin.Device.Pool.DeviceAllocations)));
        for (int step = 3; step < Steps; step++)
        {
            Assert.Equal(1, seen[step].Downloads - seen[step - 1].Downloads);
            Assert.InRange(seen[step].Bytes - seen[step - 1].Bytes, 4, 16);
            Assert.Equal(seen[2].Buffers, seen[step].Buffers);
            Assert.Equal(seen[2].Allocations, seen[step].Allocations);
        }
    }

    private static double[] Losses(Device device, LdvcConfig config, Action<int> after)
    {
        using var loaded = LoadedModel.Create(TinyClip.Folder, config.Model, device, 5);
        using var trainer = new LdvcTrainer(loaded, new Tests.Data.MemoryDataset(6), config);
        var losses = new double[Steps];
        for (int step = 0; step < Steps; step++)
        {
            losses[step] = trainer.RunStep().Loss;
            after(step);
        }

        return losses;
    }
}
