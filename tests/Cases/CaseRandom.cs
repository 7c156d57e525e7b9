using Ldvc.Tensors;

namespace Ldvc.Cases;

/// <summary>Random values named by a text, so that adding a case changes no other case.</summary>
internal static class CaseRandom
{
    private const int Repeated = 1024;

    [ThreadStatic]
    private static bool _repeats;

    /// <summary>
    /// Until it is disposed of, this thread's normal values repeat themselves: for who runs cases and looks at no number. Drawing takes most of the
    /// time of a case that computes nothing.
    /// </summary>
    internal static IDisposable Repeating()
    {
        _repeats = true;
        return new EndOfRepeating();
    }

    /// <summary>A stream of its own for every name.</summary>
    internal static CounterRandom Stream(string name)
    {
        // FNV-1a: string.GetHashCode differs from process to process.
        ulong hash = 14695981039346656037UL;
        foreach (char c in name)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        return new CounterRandom(hash, 0xCA5E);
    }

    /// <summary>Normal values.</summary>
    internal static float[] Normal(string name, int count, double mean = 0, double deviation = 1)
    {
        var random = Stream(name);
        var values = new float[count];
        int drawn = _repeats ? Math.Min(count, Repeated) : count;
        for (int i = 0; i < drawn; i++)
        {
            values[i] = (float)(mean + (deviation * random.NextNormal()));
        }

        for (int i = drawn; i < count; i += drawn)
        {
            values.AsSpan(0, Math.Min(drawn, count - i)).CopyTo(values.AsSpan(i));
        }

        return values;
    }

    /// <summary>Integers in [0, bound), some of them repeated.</summary>
    internal static int[] Integers(string name, int count, int bound)
    {
        var random = Stream(name);
        var values = new int[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = random.NextInt(bound);
        }

        return values;
    }

    /// <summary>Label maps of rectangular blocks: classes, and 255 twice as often; the last class never occurs.</summary>
    internal static byte[] Labels(string name, int batch, int classes, int height, int width, int block) =>
        Array.ConvertAll(LabelBlocks(name, batch, classes, height, width, block, 255), label => (byte)label);

    /// <summary>The same in 32-bit integers, with 65535 in place of 255; any number of classes.</summary>
    internal static int[] WideLabels(string name, int batch, int classes, int height, int width, int block) =>
        LabelBlocks(name, batch, classes, height, width, block, 65535);

    private static int[] LabelBlocks(string name, int batch, int classes, int height, int width, int block, int none)
    {
        var random = Stream(name);
        var labels = new int[batch * height * width];
        int down = (height + block - 1) / block, across = (width + block - 1) / block;
        var blocks = new int[batch * down * across];
        for (int i = 0; i < blocks.Length; i++)
        {
            int choice = random.NextInt(classes + 1);
            blocks[i] = choice >= classes - 1 ? none : choice;
        }

        for (int i = 0; i < labels.Length; i++)
        {
            int image = i / (height * width), y = i / width % height, x = i % width;
            labels[i] = blocks[(((image * down) + (y / block)) * across) + (x / block)];
        }

        return labels;
    }

    /// <summary>The key of the n-th dropout mask of a tape with the given seed.</summary>
    internal static ulong DropoutKey(ulong tapeSeed, int n)
    {
        var keys = new CounterRandom(tapeSeed, 0xD20) { Counter = (ulong)n };
        return keys.NextBits();
    }

    private sealed class EndOfRepeating : IDisposable
    {
        public void Dispose() => _repeats = false;
    }
}
