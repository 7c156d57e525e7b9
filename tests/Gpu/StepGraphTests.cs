using Ldvc.Configuration;
using Ldvc.Kernels;
using Ldvc.Kernels.Gpu;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu.Graphs;
using Ldvc.Tests.Clip;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// Training whose steps are captured and started again: on OpenCL, by a driver that issues the captured launches with the captured arguments.
/// </summary>
[Collection("opencl")]
public class StepGraphTests(OpenClFixture fixture)
{
    private const int Steps = StepGraphs.WarmUp + 3;

    // Dropout in attention, branches and prompts, a learning rate that changes at every step, text prompts, whose rows are gathered by indices from
    // the host.
    private static readonly LdvcConfig Config = new()
    {
        Model = new ModelConfig
        {
            Prompts = new PromptConfig { Vision = 2, Text = 2, Dropout = 0.2 },
            Decoder = new DecoderConfig { Layers = 1, Dropout = 0.2, Windows = 2, Topk = 2 },
        },
        Augment = new AugmentConfig { Scale = [64, 48], Crop = 32 },
        Train = new TrainConfig { Batch = 2, Seed = 5, Warmup = 3, Lr = 1e-3, Iterations = 20 },
        Data = new DataConfig { Workers = 1 },
    };

    [Theory]
    [InlineData(1, 0, "Inductive", 1, 1)]
    [InlineData(2, 0.05, "Inductive", 2, 2)]
    [InlineData(3, 0, "Inductive", 2, 3)]
    [InlineData(4, 0.05, "Inductive", 2, 4)]
    [InlineData(1, 0, "Transductive", 1, 1)]
    public void CapturedStepsGiveTheSameBits(int accumulate, double clip, string setting, int parts, int launches)
    {
        var device = fixture.Twin.Device;
        LdvcConfig config = Accumulating(accumulate, clip, Enum.Parse<TrainSetting>(setting));
        long blocks = device.Pool.LiveBlocks - KernelSet.For(device).Launcher!.HeldBlocks;
        var (weights, losses) = Train(Plain(config), null);
        var driver = new ReplayGraphs(device);
        var (again, same) = Train(config, driver);
        Assert.Equal(losses, same);
        Assert.Equal(weights, again);

        // One graph of each kind of part and one of the update, started at every step after the first ones.
        int graphed = Steps - StepGraphs.WarmUp;
        Assert.Equal((parts + 1, graphed * (launches + 1)), (driver.Captures, driver.Launches));
        Assert.Equal(0, driver.Live);
        Assert.Equal(blocks, device.Pool.LiveBlocks - KernelSet.For(device).Launcher!.HeldBlocks);
    }

    /// <summary>Whichever part of a step cannot be captured, it runs as it is, once, and so do all steps from then on.</summary>
    [Theory]
    [InlineData(2, 0, 1)]
    [InlineData(3, 0, 2)]
    [InlineData(2, 0, 3)]
    [InlineData(1, 0.05, 2)]
    public void AFailedCaptureChangesNoBit(int accumulate, double clip, int failing)
    {
        const int steps = StepGraphs.WarmUp + 2;
        LdvcConfig config = Accumulating(accumulate, clip, TrainSetting.Inductive);
        var (weights, losses) = Train(Plain(config), null, steps);
        var driver = new ReplayGraphs(fixture.Twin.Device) { FailingEnd = failing };
        var (again, same) = Train(config, driver, steps);
        Assert.Equal(losses, same);
        Assert.Equal(weights, again);
        Assert.Equal((failing - 1, failing - 1, 0), (driver.Captures, driver.Launches, driver.Live));
    }

    /// <summary>Of a step that ends before its update nothing is left, neither half of its graphs nor gradients.</summary>
    [Fact]
    public void AStepThatEndsEarlyLeavesNothing()
    {
        var device = fixture.Twin.Device;
        var launcher = KernelSet.For(device).Launcher!;
        LdvcConfig config = Accumulating(2, 0, TrainSetting.Inductive);
        var broken = new InputException("broken");
        var expected = Train(Plain(config), null, Steps, step => launcher.Watch = step == StepGraphs.WarmUp ? Break : null, broken);
        launcher.Watch = null;
        var driver = new ReplayGraphs(device) { FailingEnd = 3, Failure = broken };
        var actual = Train(config, driver, Steps, null, broken);
        Assert.Equal(expected.Losses, actual.Losses);
        Assert.Equal(expected.Weights, actual.Weights);

        // First and further parts twice, the update once.
        Assert.Equal((5, 0), (driver.Captures, driver.Live));

        void Break(GpuLaunch what, Action run)
        {
            if (what.Kernel.Name == "optimizer.adamw")
            {
                throw broken;
            }

            run();
        }
    }

    /// <summary>Two steps as they are, one after the other, queue the same kernels with the same arguments and buffers.</summary>
    [Fact]
    public void TwoStepsLaunchTheSame()
    {
        var device = fixture.Twin.Device;
        var launcher = KernelSet.For(device).Launcher!;
        var steps = new List<List<GpuLaunch>>();
        var driver = new ReplayGraphs(device);
        launcher.Watch = (what, run) =>
        {
            if (steps.Count > 0)
            {
                steps[^1].Add(what);
            }

            run();
        };
        try
        {
            Train(Config, driver, StepGraphs.WarmUp, _ => steps.Add([]));
        }
        finally
        {
            launcher.Watch = null;
        }

        Assert.Equal(0, driver.Captures);
        List<GpuLaunch> before = steps[StepGraphs.WarmUp - 2], last = steps[StepGraphs.WarmUp - 1];
        Assert.True(last.Count > 100);
        Assert.Equal(before.Select(launch => launch.Kernel.Name), last.Select(launch => launch.Kernel.Name));
        for (int i = 0; i < last.Count; i++)
        {
            Assert.True(before[i].Equals(last[i]), $"launch {i}, {last[i].Kernel}: {before[i].Arguments} and {last[i].Arguments} differ");
        }
    }

    /// <summary>Between captured steps the device does other work, whose memory the graphs leave alone.</summary>
    [Fact]
    public void OtherWorkBetweenStepsChangesNothing()
    {
        var device = fixture.Twin.Device;
        var expected = Train(Plain(Config), null);
        var kept = new List<Tensor>();
        var actual = Train(Config, new ReplayGraphs(device), Steps, step =>
        {
            // More scratch memory than before, and tensors of all sizes that live on.
            if (step > StepGraphs.WarmUp)
            {
                KernelSet.For(device).Launcher!.Workspace.Bytes((1 << 20) + (step << 22));
                kept.AddRange(Enumerable.Range(0, 20).Select(i => device.FromHost([.. Enumerable.Repeat(7f, 1 << i)], new Shape(1 << i))));
            }
        });
        Assert.Equal(expected.Losses, actual.Losses);
        Assert.Equal(expected.Weights, actual.Weights);
        Assert.All(kept, tensor => Assert.All(tensor.ToArray(), value => Assert.Equal(7f, value)));
        kept.ForEach(tensor => tensor.Dispose());
    }

    /// <summary>A bad number in a captured step is named as in any other, and the weights stay as they were.</summary>
    [Fact]
    public void ABadStepIsNamed()
    {
        var device = fixture.Twin.Device;
        device.GraphDriver = new ReplayGraphs(device);
        try
        {
            using var loaded = LoadedModel.Create(TinyClip.Folder, Config.Model, device, 5);
            using var trainer = new LdvcTrainer(loaded, new Tests.Data.MemoryDataset(6), Config);
            for (int step = 0; step < Steps; step++)
            {
                trainer.RunStep();
            }

            var (name, parameter) = loaded.Model.Parameters().First();
            parameter.Value.CopyFromHost<float>([.. Enumerable.Repeat(float.NaN, (int)parameter.Value.Count)]);
            string message = Assert.Throws<InputException>(() => trainer.RunStep()).Message;
            Assert.StartsWith($"training stopped at step {Steps}: the loss is NaN; first bad tensor: parameter {name} (pictures m", message);
            Assert.True(trainer.HasDiverged);
            Assert.Equal(Steps, trainer.Step);
        }
        finally
        {
            device.GraphDriver = null;
        }
    }

    private static LdvcConfig Accumulating(int accumulate, double clip, TrainSetting setting) => Config with
    {
        Train = Config.Train with { Batch = Math.Max(2, accumulate), Accumulate = accumulate, ClipGrad = clip, Setting = setting },
    };

    private static LdvcConfig Plain(LdvcConfig config) => config with { Train = config.Train with { CudaGraph = GraphUse.Off } };

    private (float[] Weights, List<double> Losses) Train(
        LdvcConfig config, ReplayGraphs? driver, int steps = Steps, Action<int>? before = null, InputException? broken = null)
    {
        var device = fixture.Twin.Device;
        device.GraphDriver = driver;
        try
        {
            using var loaded = LoadedModel.Create(TinyClip.Folder, config.Model, device, 5);
            using var trainer = new LdvcTrainer(loaded, new Tests.Data.MemoryDataset(6), config);
            var losses = new List<double>();
            for (int step = 0; step < steps; step++)
            {
                before?.Invoke(step);
                try
                {
                    losses.Add(trainer.RunStep().Loss);
                }
                catch (InputException e) when (e == broken)
                {
                    // The step that is to end so.
                }
            }

            return ([.. loaded.Model.Parameters().SelectMany(p => p.Parameter.Value.ToArray())], losses);
        }
        finally
        {
            device.GraphDriver = null;
        }
    }
}
