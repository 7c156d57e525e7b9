using System.Globalization;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Inference;

/// <summary>Counts of (truth, prediction) over all labelled pixels; column C counts pixels predicted as background.</summary>
internal sealed class Confusion
{
    /// <summary>The most classes there is a matrix of: it takes 2 GiB then.</summary>
    internal const int MaxClasses = (1 << 14) - 1;

    internal Confusion(int classes)
    {
        Classes = classes;
        Counts = new long[classes * (classes + 1)];
    }

    internal int Classes { get; }

    /// <summary>[Classes, Classes + 1].</summary>
    internal long[] Counts { get; }

    /// <summary>Refuses a number of classes whose matrix hardly anybody has memory for, before anything is computed.</summary>
    /// <param name="source">The data set, for the message.</param>
    /// <param name="classes">The number.</param>
    /// <exception cref="InputException">It is one.</exception>
    internal static void CheckRoom(string source, int classes)
    {
        if (classes > MaxClasses)
        {
            double gibibytes = 8.0 * classes * (classes + 1) / (1 << 30);
            throw new InputException(string.Create(
                CultureInfo.InvariantCulture,
                $"{source}: {classes} classes, expected at most {MaxClasses} to be scored: the confusion matrix would take {gibibytes:F1} GiB"));
        }
    }

    /// <summary>Adds the pixels of a picture, of label maps of either width.</summary>
    /// <exception cref="ArgumentException">The maps have different sizes.</exception>
    internal void Add(LabelMap truth, LabelMap labels)
    {
        if (truth.Width != labels.Width || truth.Height != labels.Height)
        {
            throw new ArgumentException(
                $"confusion: truth {truth.Width}x{truth.Height}, labels {labels.Width}x{labels.Height}", nameof(labels));
        }

        for (int i = 0; i < truth.Count; i++)
        {
            int wanted = truth.ClassAt(i);
            if (wanted >= 0 && wanted < Classes)
            {
                int found = labels.ClassAt(i);
                Counts[(wanted * (Classes + 1)) + (found < 0 ? Classes : Math.Min(found, Classes))]++;
            }
        }
    }

    /// <summary>Adds the counts of other pictures.</summary>
    internal void Add(Confusion other)
    {
        for (int i = 0; i < Counts.Length; i++)
        {
            Counts[i] += other.Counts[i];
        }
    }

    /// <summary>The entries that are not 0, row by row; a prediction of <see cref="Classes"/> is none.</summary>
    internal IEnumerable<(int Truth, int Predicted, long Pixels)> Pairs()
    {
        for (int i = 0; i < Counts.Length; i++)
        {
            if (Counts[i] > 0)
            {
                yield return (i / (Classes + 1), i % (Classes + 1), Counts[i]);
            }
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
