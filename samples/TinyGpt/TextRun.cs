using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Autograd.Optimizers;
using Ldvc.Tensors;

namespace TinyGpt;

/// <summary>Learns a small text letter by letter and writes on.</summary>
internal static class TextRun
{
    private const string Text =
        "the rain falls on the hill and runs to the river. the river runs to the sea and the sea gives its water to the wind. "
        + "the wind carries the water over the land and the rain falls on the hill. the hill keeps a little for the trees, and the "
        + "trees give it to the wind in the morning. so the water goes round and the river is never the same and always there. ";

    private const int Batch = 8, Steps = 300;

    internal static void Train(Device device)
    {
        char[] letters = [.. Text.Distinct().Order()];
        int[] ids = [.. Text.Select(letter => Array.IndexOf(letters, letter))];
        var sizes = new GptSizes(Layers: 2, Width: 64, Heads: 4, Context: 32, letters.Length);
        using var model = new Gpt(new Initializer(device, seed: 1), sizes);
        using var optimizer = new AdamW(model.Parameters(), beta2: 0.95f, weightDecay: 0.1f);
        var random = new CounterRandom(seed: 2);
        int[] input = new int[Batch * sizes.Context], next = new int[input.Length];
        for (int step = 1; step <= Steps; step++)
        {
            for (int row = 0; row < Batch; row++)
            {
                int start = random.NextInt(ids.Length - sizes.Context);
                ids.AsSpan(start, sizes.Context).CopyTo(input.AsSpan(row * sizes.Context));
                ids.AsSpan(start + 1, sizes.Context).CopyTo(next.AsSpan(row * sizes.Context));
            }

            using var tape = new Tape(device, recording: true);
            var loss = tape.CrossEntropy(model.Forward(tape, input, Batch), next);
            tape.Backward(loss);
            optimizer.ClipGradientNorm(1);
            optimizer.Step(learningRate: 3e-3f);
            if (step % 100 == 0)
            {
                Console.WriteLine($"step {step}  loss {loss.Value.ToScalar():f4}");
            }
        }

        // The likeliest letter again and again; the network sees the last ones that fit its context.
        List<int> written = [.. ids.AsSpan(0, 8)];
        while (written.Count < 160)
        {
            int[] seen = [.. written.TakeLast(sizes.Context)];
            using var tape = new Tape(device, recording: false);
            float[] logits = model.Forward(tape, seen, batch: 1).Value.ToArray()[^sizes.Vocabulary..];
            written.Add(Array.IndexOf(logits, logits.Max()));
        }

        Console.WriteLine(string.Concat(written.Select(id => letters[id])));
    }
}
