using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Autograd.Optimizers;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Kernels;
using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Bench;

/// <summary>A launch of a kernel: groups in x, y and z, and dynamic shared memory.</summary>
internal sealed record PtxLaunch(int GridX, int GridY, int GridZ, int DynamicSharedBytes);

/// <summary>
/// How a training step of ViT-B/16 at 512 pixels launches its kernels, in both precisions. The step is run on the simulator with launches recorded
/// instead of run, so the numbers are the program's own; the values that the step computes with are whatever memory holds. Which tile a product gets
/// depends on the card: the simulator counts as one with few multiprocessors, which takes the large one early.
/// </summary>
internal static class PtxLaunches
{
    private const int Size = 512;
    private const int Classes = 15;

    /// <summary>Kernel name -> its different launches, in order.</summary>
    internal static ILookup<string, PtxLaunch> Record()
    {
        var found = new List<(string Kernel, PtxLaunch Launch)>();
        using var device = DeviceFactory.Open("simulator");
        KernelSet.For(device).Launcher!.Recorder = (kernel, x, y, z, bytes) => found.Add((kernel.Name, new PtxLaunch(x, y, z, bytes)));
        var config = new Ldvc.Clip.ClipConfig(new TowerConfig(768, 12, 12, 3072), new TowerConfig(512, 12, 8, 2048), 512, 224, 16, 77, 49408);
        using var clip = new ClipModel(new RandomWeights(new Initializer(device, 1)), config);
        clip.SetTrainable(false);
        using var model = new LdvcModel(clip, new ModelConfig(), new Initializer(device, 2), Tokens(1));
        using var optimizer = new AdamW(model.Parameters(), 0.9f, 0.999f, 1e-8f, _ => 0.01f);
        using var image = device.Zeros(new Shape(1, 3, Size, Size));
        using var labels = device.FromHost(new byte[Size * Size], new Shape(1, Size, Size));
        foreach (var precision in new[] { Precision.Fp32, Precision.Bf16 })
        {
            device.Precision = precision;
            Step(device, model, optimizer, image, labels);
        }

        return found.Distinct().ToLookup(pair => pair.Kernel, pair => pair.Launch);
    }

    private static void Step(Device device, LdvcModel model, AdamW optimizer, Tensor image, Tensor labels)
    {
        var loss = new LossConfig();
        using var tape = new Tape(device, recording: true, 1);
        using var classes = model.EncodeClasses(tape, Tokens(Classes));
        using var logits = model.Forward(tape, image, classes);
        using var total = tape.MaskLoss(logits, labels, (float)loss.Focal, (float)loss.Dice, (float)loss.Alpha, out var parts);
        parts.Dispose();
        tape.Backward(total);
        optimizer.Step(1e-5f);
    }

    // "a photo of a ...": start, four words, three tokens of a name, end.
    private static TokenBatch Tokens(int count)
    {
        const int context = 77, length = 9;
        var ids = new int[count * context];
        for (int i = 0; i < count; i++)
        {
            for (int j = 0; j < length; j++)
            {
                ids[(i * context) + j] = j == 0 ? 49406 : j == length - 1 ? 49407 : 1000 + j + i;
            }
        }

        return TokenBatch.Create(ids, count);
    }
}
