using System.CommandLine;
using Ldvc.App.Cli;
using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Autograd.Optimizers;
using Ldvc.Bench.Cli;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Bench;

/// <summary>A random CLIP of ViT-B/16's size: how long, and how much memory.</summary>
internal static class VitBench
{
    private const int Mebibyte = 1 << 20;

    internal static Command Create()
    {
        Option<string> threads = CommandParts.Threads(0), rounds = BenchParts.Rounds(5);
        var size = new Option<string>("--size")
        {
            HelpName = "N",
            Description = "Columns and rows of the picture, a multiple of 16.",
            DefaultValueFactory = _ => "512"
        };
        var classes = new Option<string>("--classes")
        {
            HelpName = "N",
            Description = "Classes of the training step.",
            DefaultValueFactory = _ => "15"
        };
        var command = new VerbCommand(
            "vit",
            "A random CLIP ViT-B/16 on the CPU: encoder forward, and one LDVC training step (batch 1), time and peak memory.",
            "dotnet run -c Release --project bench -- vit --size 224") { size, classes, threads, rounds };
        command.SetAction(result => Run(
            OptionValue.Threads(result, threads),
            (int)OptionValue.WholeNumber(result, size, 16, 4096),
            (int)OptionValue.WholeNumber(result, classes, 1, 1000),
            BenchParts.Rounds(result, rounds)));
        return command;
    }

    private static int Run(int threads, int size, int classes, int rounds)
    {
        if (size % 16 != 0)
        {
            throw new InputException($"--size {size}: expected a multiple of 16, the columns and rows of a patch");
        }

        using var device = new CpuDevice(threads);
        var config = new Ldvc.Clip.ClipConfig(new TowerConfig(768, 12, 12, 3072), new TowerConfig(512, 12, 8, 2048), 512, 224, 16, 77, 49408);
        using var clip = new ClipModel(new RandomWeights(new Initializer(device, 1)), config);
        clip.SetTrainable(false);
        Console.WriteLine($"{device.ThreadCount} threads; CLIP ViT-B/16, random weights: {device.Pool.LiveBytes / Mebibyte} MiB");
        var random = new CounterRandom(2);
        var pixels = new float[3 * size * size];
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (float)random.NextNormal();
        }

        using var image = device.FromHost(pixels, new Shape(1, 3, size, size));
        device.Pool.ResetPeak();
        var (forward, _) = Timing.Measure(rounds, 2, () =>
        {
            using var tape = new Tape(device, recording: false);
            clip.Visual.Encode(tape, image);
        });
        Console.WriteLine($"encoder forward, {size} px: median {forward * 1e3:F1} ms, tensors at most {device.Pool.PeakBytes / Mebibyte} MiB, "
            + $"process {Timing.PeakMebibytes():F0} MiB");
        Step(device, clip, image, classes, rounds, ref random);
        return 0;
    }

    private static void Step(Device device, ClipModel clip, Tensor image, int classes, int rounds, ref CounterRandom random)
    {
        var template = Tokens(1, ref random);
        using var model = new LdvcModel(clip, new ModelConfig(), new Initializer(device, 3), template);
        using var optimizer = new AdamW(model.Parameters(), 0.9f, 0.999f, 1e-8f, _ => 0.01f);
        var texts = Tokens(classes, ref random);
        int size = image.Shape[2];
        var truth = new byte[size * size];
        for (int i = 0; i < truth.Length; i++)
        {
            // Blocks of 64 pixels, a class each: as coherent as real masks are.
            truth[i] = (byte)((((i / size / 64) * 7) + (i % size / 64)) % classes);
        }

        using var labels = device.FromHost(truth, new Shape(1, size, size));
        var loss = new LossConfig();
        device.Pool.Trim();
        device.Pool.ResetPeak();
        ulong step = 0;
        var (median, _) = Timing.Measure(rounds, 2, () =>
        {
            using var tape = new Tape(device, recording: true, step++);
            using var classes = model.EncodeClasses(tape, texts);
            using var logits = model.Forward(tape, image, classes);
            using var total = tape.MaskLoss(logits, labels, (float)loss.Focal, (float)loss.Dice, (float)loss.Alpha, out var parts);
            parts.Dispose();
            tape.Backward(total);
            optimizer.Step(1e-5f);
        });
        Console.WriteLine(
            $"LDVC training step, {classes} classes, {size} px, batch 1, {texts.Length} tokens: median {median * 1e3:F1} ms, tensors at most "
                + $"{device.Pool.PeakBytes / Mebibyte} MiB, "
            + $"reserved {device.Pool.ReservedBytes / Mebibyte} MiB, process {Timing.PeakMebibytes():F0} MiB");
    }

    // "a photo of a ...": start, four words, two tokens of a name, end: 8 of 77, plus one more for the longest name.
    private static TokenBatch Tokens(int count, ref CounterRandom random)
    {
        var ids = new int[count * 77];
        for (int i = 0; i < count; i++)
        {
            int length = i == 0 ? 9 : 8;
            ids[i * 77] = 49406;
            for (int j = 1; j < length - 1; j++)
            {
                ids[(i * 77) + j] = random.NextInt(49000);
            }

            ids[(i * 77) + length - 1] = 49407;
        }

        return TokenBatch.Create(ids, count);
    }
}
