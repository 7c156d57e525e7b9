namespace Ldvc.Tensors;

/// <summary>
/// A counter-based random stream: value i of stream (seed, stream) is a pure function of the three numbers, so a run can be resumed, and work can
/// be split over threads, without any hidden state. The mixer is splitmix64's finaliser applied twice. Not for secrets.
/// </summary>
public struct CounterRandom
{
    private readonly ulong _key;

    /// <summary>Starts stream <paramref name="stream"/> of <paramref name="seed"/> at counter 0.</summary>
    public CounterRandom(ulong seed, ulong stream = 0)
    {
        _key = Mix(Mix(seed + 0x9E3779B97F4A7C15UL) ^ (stream * 0xD1342543DE82EF95UL));
        Counter = 0;
    }

    /// <summary>Numbers drawn so far; setting it jumps.</summary>
    public ulong Counter { get; set; }

    /// <summary>64 uniformly random bits.</summary>
    public ulong NextBits() => Bits(_key, ++Counter);

    /// <summary>What numbers are drawn from; with <see cref="Bits"/>, for devices that draw themselves.</summary>
    internal readonly ulong Key => _key;

    /// <summary>The bits of the draw that makes the counter <paramref name="counter"/>.</summary>
    internal static ulong Bits(ulong key, ulong counter) => Mix(Mix(key + (0x9E3779B97F4A7C15UL * counter)) ^ key);

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [low, high).</summary>
    public double NextDouble(double low, double high) => low + ((high - low) * NextDouble());

    /// <summary>Uniform in [0, bound); bound must be positive.</summary>
    public int NextInt(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        return (int)(((NextBits() >> 32) * (ulong)bound) >> 32);
    }

    /// <summary>Uniform in [low, high).</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no number in between, or there are 2^31 or more.</exception>
    public int NextInt(int low, int high) => (long)high - low is >= 1 and <= int.MaxValue
        ? low + NextInt(high - low)
        : throw new ArgumentOutOfRangeException(
            nameof(high), $"next int: expected a range of 1 to 2^31 - 1 numbers, got {low} to {high}, the latter excluded");

    /// <summary>Standard normal (Box-Muller, one value a call).</summary>
    public double NextNormal()
    {
        double u = 1.0 - NextDouble();
        double v = NextDouble();
        return Math.Sqrt(-2.0 * Math.Log(u)) * Math.Cos(2.0 * Math.PI * v);
    }

    /// <summary>Fisher-Yates shuffle in place.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = NextInt(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
        return x ^ (x >> 31);
    }
}
