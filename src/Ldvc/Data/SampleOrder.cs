using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// The endless order of training samples. Sample g of a run is a pure function of (seed, g): each epoch is its own permutation of the data set, and
/// epochs follow each other without a gap, so a batch may hold the end of one and the start of the next. Not thread-safe (it keeps one permutation).
/// </summary>
internal sealed class SampleOrder
{
    private readonly ulong _seed;
    private readonly int[] _permutation;
    private long _epoch = -1;

    /// <summary>An order over <paramref name="count"/> pictures.</summary>
    public SampleOrder(ulong seed, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        _seed = seed;
        _permutation = new int[count];
    }

    /// <summary>The picture of global sample <paramref name="sample"/>.</summary>
    public int this[long sample]
    {
        get
        {
            long epoch = sample / _permutation.Length;
            if (epoch != _epoch)
            {
                for (int i = 0; i < _permutation.Length; i++)
                {
                    _permutation[i] = i;
                }

                var random = new CounterRandom(_seed ^ 0x6F72646572UL, (ulong)epoch);
                random.Shuffle(_permutation.AsSpan());
                _epoch = epoch;
            }

            return _permutation[(int)(sample % _permutation.Length)];
        }
    }

    /// <summary>The random stream of a global sample's augmentation.</summary>
    public static CounterRandom Stream(ulong seed, long sample) => new(seed ^ 0x73616D706C65UL, (ulong)sample);
}
