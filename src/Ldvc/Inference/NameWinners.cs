using Ldvc.Imaging;

namespace Ldvc.Inference;

/// <summary>The best name of every pixel over several passes, and its score.</summary>
internal sealed class NameWinners(int width, int height)
{
    private const int None = -1;
    private readonly int[] _names = NewNames(width * height);

    /// <summary>The best score of every pixel.</summary>
    internal float[] Scores { get; } = NewScores(width * height);

    /// <summary>Takes the best names of a pass. They must be better than those before: ties go to the lower name.</summary>
    /// <param name="first">The pass's first name.</param>
    /// <param name="labels">The best name of every pixel, counted from the first.</param>
    /// <param name="best">Its score.</param>
    internal void Merge(int first, ReadOnlySpan<byte> labels, ReadOnlySpan<float> best)
    {
        for (int i = 0; i < _names.Length; i++)
        {
            if (_names[i] == None || best[i] > Scores[i])
            {
                (_names[i], Scores[i]) = (first + labels[i], best[i]);
            }
        }
    }

    /// <summary>Takes the name from pixels whose score lies below a threshold; null = from none.</summary>
    internal NameWinners Above(double? threshold)
    {
        if (threshold is { } least)
        {
            for (int i = 0; i < _names.Length; i++)
            {
                _names[i] = Scores[i] < (float)least ? None : _names[i];
            }
        }

        return this;
    }

    /// <summary>The names' classes in 8 bits.</summary>
    /// <param name="owners">The class of every name.</param>
    internal LabelMap ToLabels(int[] owners) => new(width, height, [.. _names.Select(name => name == None ? LabelMap.Ignore : (byte)owners[name])]);

    /// <summary>The names' classes in 16 bits.</summary>
    /// <param name="owners">The class of every name.</param>
    internal LabelMap16 ToWideLabels(int[] owners) => new(width, height, [.. _names.Select(name => name == None ? LabelMap16.Unlabelled : (ushort)owners[name])]);

    private static int[] NewNames(int pixels)
    {
        var names = new int[pixels];
        Array.Fill(names, None);
        return names;
    }

    private static float[] NewScores(int pixels)
    {
        var scores = new float[pixels];
        Array.Fill(scores, float.NegativeInfinity);
        return scores;
    }
}
