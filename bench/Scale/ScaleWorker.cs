using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Ldvc.Bench.Compare.Ours;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Distributed;
using Ldvc.Lab.Synthetic;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Distributed;
using Ldvc.Tensors.Distributed.Launch;
using Ldvc.Training;

namespace Ldvc.Bench.Scale;

/// <summary>What `bench scale` starts, once or under a launcher: trains some steps and says how fast. Nothing is written.</summary>
internal static class ScaleWorker
{
    internal const string Name = "scale-worker";

    internal static Command Create()
    {
        Argument<string> config = new("CONFIG"), threads = new("THREADS"), warmUp = new("WARM-UP"), steps = new("STEPS");
        Argument<string[]> sets = new("SETS") { Arity = ArgumentArity.ZeroOrMore };
        var command = new Command(Name, "What `bench scale` starts.") { config, threads, warmUp, steps, sets };
        command.Hidden = true;
        command.SetAction(result => Run(
            result.GetRequiredValue(config),
            int.Parse(result.GetRequiredValue(threads), CultureInfo.InvariantCulture),
            int.Parse(result.GetRequiredValue(warmUp), CultureInfo.InvariantCulture),
            int.Parse(result.GetRequiredValue(steps), CultureInfo.InvariantCulture),
            result.GetValue(sets) ?? []));
        return command;
    }

    private static int Run(string path, int threads, int warmUp, int steps, string[] sets)
    {
        IProcessGroup group = ProcessGroups.Open(DistMode.Auto, Environment.GetEnvironmentVariable, LaunchedOutput.Error.WriteLine);
        LdvcConfig config = ConfigLoader.Load(path, sets);
        using Device device = new WorkDevice("cpu", threads, Precision.Fp32).Open();
        group.Use(device);
        SegmentationDataset training = DrawnData.Registry.OpenTraining(config);
        using LoadedModel loaded = LoadedModel.Create(config.Clip.Path!, config.Model, device, (ulong)config.Train.Seed, training.Classes);
        using var trainer = new LdvcTrainer(loaded, training, config, new JobMember(group, threads));
        for (int i = 0; i < warmUp; i++)
        {
            trainer.RunStep();
        }

        group.Barrier();
        double[] waits = new double[steps];
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < steps; i++)
        {
            TimeSpan before = group.TimeInCommunication;
            trainer.RunStep();
            waits[i] = (group.TimeInCommunication - before).TotalSeconds;
        }

        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        double[] longest = [waits.Sum()];
        group.Max(longest);

        // The smallest wait of each step.
        double[] negative = [.. waits.Select(wait => -wait)];
        group.Max(negative);
        if (group.Rank == 0)
        {
            LaunchedOutput.Out.WriteLine(JsonSerializer.Serialize(
                new ScaleResult(steps * config.Train.Batch / seconds, -negative.Sum() / seconds, longest[0] / seconds, group.Description)));
        }

        group.Dispose();
        return 0;
    }
}

/// <summary>What a worker measured.</summary>
/// <param name="Pictures">Pictures a second, over all processes.</param>
/// <param name="Communication">
/// Share of the time that sums take at most by themselves: of each step the wait of the process that waited least, since the last one to come
/// waits for nobody.
/// </param>
/// <param name="Waiting">
/// Share of the time that the process that waited most has waited: for the sums and for the slower process, whose core may be shared with others.
/// </param>
/// <param name="Group">What carried them.</param>
internal sealed record ScaleResult(double Pictures, double Communication, double Waiting, string Group);
