using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Distributed;
using Ldvc.Kernels;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Tests.Serialization;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Training;

/// <summary>A run that began in one precision goes on in another, as it must when a number was too large for fp16.</summary>
public sealed class PrecisionChangeTests
{
    [Fact]
    public void ARunGoesOnInAnotherPrecisionAndSaysSo()
    {
        using var folder = new TempFolder();
        var config = new LdvcConfig
        {
            Clip = new Ldvc.Configuration.ClipConfig { Path = TinyClip.Folder },
            Model = new ModelConfig { Prompts = new PromptConfig { Vision = 2 }, Decoder = new DecoderConfig { Layers = 1, Windows = 2, Topk = 2 } },
            Augment = new AugmentConfig { Scale = [64, 48], Crop = 32 },
            Train = new TrainConfig { Batch = 1, Warmup = 0, Iterations = 3 },
            Data = new DataConfig { Kind = DataKind.Synthetic, Workers = 1 },
            Eval = new EvalConfig { ShortSide = 32, Window = 32, Stride = 32 },
        };
        using (var cpu = new CpuDevice(1))
        {
            Train(config, folder.File("run"), cpu, stopAfter: 1);
        }

        // Nothing is computed there: it is told to stop before its first step.
        using var device = DeviceFactory.Open("simulator");
        KernelSet.For(device).Launcher!.Recorder = _ => { };
        LdvcConfig other = config with { Train = config.Train with { Precision = Precision.Bf16 } };
        List<string> said = Train(other, folder.File("run"), device, stopAfter: 0);
        int at = said.IndexOf("continuing after step 1");
        Assert.True(at >= 0, string.Join("\n", said));
        Assert.Equal("train.precision is bf16 from here on, it was fp32", said[at + 1]);
        Assert.Equal(Precision.Bf16, ConfigLoader.Load(folder.File("run/config.yaml")).Train.Precision);
    }

    private static List<string> Train(LdvcConfig config, string root, Device device, int stopAfter)
    {
        using var stop = new CancellationTokenSource();
        var monitor = new Monitor(stop, stopAfter);
        DatasetRegistry data = DatasetRegistry.Files.With(DataKind.Synthetic, (_, _) => new MemoryDataset(4));
        TrainingOutcome outcome = TrainingRun.Run(config, root, resume: true, device, data, monitor, JobMember.Alone(stop.Token));
        Assert.Equal((false, 1), (outcome.Finished, outcome.Step));
        return monitor.Lines;
    }

    private sealed class Monitor(CancellationTokenSource stop, int after) : IRunMonitor, IProgress<ProgressStatus>
    {
        internal List<string> Lines { get; } = [];

        public void Say(string line) => Lines.Add(line);

        public void Warn(string sentence) => Lines.Add(sentence);

        public T Loop<T>(string title, int first, int total, Func<IProgress<ProgressStatus>, T> loop)
        {
            if (after == 0)
            {
                stop.Cancel();
            }

            return loop(this);
        }

        public void Report(ProgressStatus value)
        {
            if (value.Step >= after)
            {
                stop.Cancel();
            }
        }
    }
}
