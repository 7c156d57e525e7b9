using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Bench.Compare;
using Ldvc.Clip;
using Ldvc.Tensors;

namespace Ldvc.Bench.Sweep;

/// <summary>A size that is varied, what is run at it, and what it should cost.</summary>
internal sealed class Sweep(string name, int[] sizes, Func<int, double> cost, Func<int, Action> prepare, IDisposable? owned = null) : IDisposable
{
    internal string Name => name;

    internal int[] Sizes => sizes;

    /// <summary>Theoretical cost in any unit.</summary>
    internal double Cost(int size) => cost(size);

    /// <summary>What to time.</summary>
    internal Action Prepare(int size) => prepare(size);

    public void Dispose() => owned?.Dispose();
}

/// <summary>Tokens, classes, batch and k.</summary>
internal static class Sweeps
{
    internal static IEnumerable<Sweep> All(CpuDevice device)
    {
        yield return new Sweep("attention, both ways: tokens", [256, 512, 1024, 2048, 4096], n => (double)n * n, n => Attention(device, n));
        yield return new Sweep("route attention, both ways: k", [2, 4, 8, 16, 32, 64], k => k, k => Route(device, k));
        yield return new Sweep("mask loss, both ways: classes", [15, 30, 60, 120, 240], c => c, c => MaskLoss(device, c));

        // Made one after the other: two towers would be memory for nothing.
        var tower = new VisionTower(new RandomWeights(new Initializer(device, 1)), PeerData.ViTB16);
        tower.SetTrainable(false);
        yield return new Sweep("encoder: picture side", [128, 224, 320, 448, 576], EncoderCost, side => Encoder(device, tower, 1, side));
        yield return new Sweep("encoder at 224: batch", [1, 2, 4, 8], b => b, b => Encoder(device, tower, b, 224), tower);
    }

    // Linears grow with the tokens, attention with their square.
    private static double EncoderCost(int side)
    {
        double tokens = (side / 16 * (side / 16)) + 1;
        return (12 * ((24 * tokens * 768 * 768) + (4 * tokens * tokens * 768))) + (2 * tokens * 768 * 768);
    }

    private static Action Attention(CpuDevice device, int tokens)
    {
        Tensor qkv = Random(device, 1, tokens, 3 * 768), dy = Random(device, 1, tokens, 768);
        return () =>
        {
            using var tape = new Tape(device, recording: true);
            tape.Backward(tape.SelfAttention(tape.Input(qkv.Share()), 12, causal: false), dy);
        };
    }

    private static Action Route(CpuDevice device, int k)
    {
        Tensor[] x = [Random(device, 1, 1024, 512), Random(device, 1, 1024, 512), Random(device, 1, 1024, 512), Random(device, 1, 1024, 512)];
        return () =>
        {
            using var tape = new Tape(device, recording: true);
            tape.Backward(tape.RouteAttention(tape.Input(x[0].Share()), tape.Input(x[1].Share()), tape.Input(x[2].Share()), 8, 32, 32, 8, k), x[3]);
        };
    }

    private static Action MaskLoss(CpuDevice device, int classes)
    {
        var z = Random(device, 1, classes, 32, 32);
        var labels = device.FromHost(
            Enumerable.Range(0, 512 * 512).Select(i => (byte)(((i / 512 / 64 * 7) + (i % 512 / 64)) % classes)).ToArray(), new Shape(1, 512, 512));
        return () =>
        {
            using var tape = new Tape(device, recording: true);
            var loss = tape.MaskLoss(tape.Input(z.Share()), labels, 100, 1, 0.25f, out var parts);
            parts.Dispose();
            tape.Backward(loss);
        };
    }

    private static Action Encoder(CpuDevice device, VisionTower tower, int batch, int side)
    {
        var image = Random(device, batch, 3, side, side);
        return () =>
        {
            using var tape = new Tape(device, recording: false);
            tower.Encode(tape, image);
        };
    }

    private static Tensor Random(CpuDevice device, params int[] sizes)
    {
        var random = new CounterRandom(4);
        var values = new float[new Shape(sizes).Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)random.NextNormal();
        }

        return device.FromHost(values, new Shape(sizes));
    }
}
