using Ldvc.Data;
using Ldvc.Imaging;

namespace Ldvc.Inference;

/// <summary>The best name of every pixel over several passes, and its score.</summary>
/// <param name="width">Columns.</param>
/// <param name="height">Rows.</param>
/// <param name="scale">What scores are multiplied by before a softmax over all names; 0 = there is none, scores are probabilities already.</param>
internal sealed class NameWinners(int width, int height, float scale)
{
    private const int None = -1;
    private readonly int[] _names = Filled(width * height, None);
    private readonly float[] _scores = Filled(width * height, float.NegativeInfinity);
    private readonly float[] _sums = new float[scale > 0 ? width * height : 0];

    /// <summary>The winner's probability at every pixel.</summary>
    internal float[] Scores => scale > 0 ? [.. _sums.Select(sum => 1 / sum)] : _scores;

    /// <summary>Takes the best names of a pass. They must be better than those before: ties go to the lower name.</summary>
    /// <param name="first">The pass's first name.</param>
    /// <param name="labels">The best name of every pixel, counted from the first.</param>
    /// <param name="best">Its score.</param>
    /// <param name="sums">With a softmax, the sum over the pass's names of exp(scale (score - best)).</param>
    internal void Merge(int first, ReadOnlySpan<byte> labels, ReadOnlySpan<float> best, ReadOnlySpan<float> sums)
    {
        for (int i = 0; i < _names.Length; i++)
        {
            bool better = _names[i] == None || best[i] > _scores[i];
            if (scale > 0)
            {
                float less = _names[i] == None ? 0 : MathF.Exp(-scale * MathF.Abs(best[i] - _scores[i]));
                _sums[i] = better ? sums[i] + (_sums[i] * less) : _sums[i] + (sums[i] * less);
            }

            if (better)
            {
                (_names[i], _scores[i]) = (first + labels[i], best[i]);
            }
        }
    }

    /// <summary>Takes the name from pixels whose probability lies below a threshold; null = from none.</summary>
    internal NameWinners Above(double? threshold)
    {
        if (threshold is { } least)
        {
            float[] scores = Scores;
            for (int i = 0; i < _names.Length; i++)
            {
                _names[i] = scores[i] < (float)least ? None : _names[i];
            }
        }

        return this;
    }

    /// <summary>The names' classes: bytes, or 16 bits where there are more than 255.</summary>
    /// <param name="owners">The class of every name.</param>
    /// <param name="classes">How many classes there are.</param>
    internal LabelMap ToLabels(int[] owners, int classes) => classes <= ClassList.MaxInBytes
        ? new(width, height, [.. _names.Select(name => name == None ? LabelMap.Ignore : (byte)owners[name])])
        : LabelMap.FromWide(width, height, [.. _names.Select(name => name == None ? LabelMap.WideIgnore : (ushort)owners[name])]);

    private static T[] Filled<T>(int pixels, T value)
    {
        var all = new T[pixels];
        Array.Fill(all, value);
        return all;
    }
}
