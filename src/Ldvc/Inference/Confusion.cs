namespace Ldvc.Inference;

/// <summary>Counts of (truth, prediction) over all labelled pixels; column C counts pixels predicted as background.</summary>
internal sealed class Confusion
{
    internal Confusion(int classes)
    {
        Classes = classes;
        Counts = new long[classes * (classes + 1)];
    }

    internal int Classes { get; }

    /// <summary>[Classes, Classes + 1].</summary>
    internal long[] Counts { get; }

    /// <summary>Adds the counts of other pictures.</summary>
    internal void Add(Confusion other)
    {
        for (int i = 0; i < Counts.Length; i++)
        {
            Counts[i] += other.Counts[i];
        }
    }

    /// <summary>Pixels of a class in the ground truth.</summary>
    internal long Truth(int c)
    {
        long sum = 0;
        for (int p = 0; p <= Classes; p++)
        {
            sum += Counts[(c * (Classes + 1)) + p];
        }

        return sum;
    }

    /// <summary>Pixels predicted as a class, wherever the ground truth is labelled.</summary>
    internal long Predicted(int c)
    {
        long sum = 0;
        for (int t = 0; t < Classes; t++)
        {
            sum += Counts[(t * (Classes + 1)) + c];
        }

        return sum;
    }

    internal long Correct(int c) => Counts[(c * (Classes + 1)) + c];

    /// <summary>Intersection over union; NaN for a class that neither occurs nor is predicted.</summary>
    internal double IoU(int c)
    {
        long union = Truth(c) + Predicted(c) - Correct(c);
        return union == 0 ? double.NaN : (double)Correct(c) / union;
    }

    /// <summary>Share of a class's pixels that are predicted as it; NaN for a class that does not occur.</summary>
    internal double Accuracy(int c) => Truth(c) == 0 ? double.NaN : (double)Correct(c) / Truth(c);

    /// <summary>Share of all labelled pixels that are right.</summary>
    internal double PixelAccuracy()
    {
        long right = 0, all = 0;
        for (int c = 0; c < Classes; c++)
        {
            right += Correct(c);
            all += Truth(c);
        }

        return all == 0 ? double.NaN : (double)right / all;
    }
}
