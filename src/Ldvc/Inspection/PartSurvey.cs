using System.Collections.Concurrent;
using Ldvc.Data;
using Ldvc.Training;

namespace Ldvc.Inspection;

/// <summary>What occurs of one class.</summary>
/// <param name="Pixels">Pixels in all masks.</param>
/// <param name="Pictures">Pictures with at least one.</param>
internal readonly record struct ClassCount(long Pixels, int Pictures);

/// <summary>A stored value that is no class.</summary>
/// <param name="Value">The number.</param>
/// <param name="Pixels">Pixels in all masks.</param>
/// <param name="Masks">Masks with at least one.</param>
/// <param name="Example">One of them.</param>
internal sealed record OutsideValue(int Value, long Pixels, int Masks, string Example);

/// <summary>Every picture and mask of one part, read once.</summary>
internal sealed class PartSurvey
{
    private PartSurvey(string part, SegmentationDataset dataset, PictureSurvey[] pictures)
    {
        (Part, Dataset, Pictures) = (part, dataset, pictures);
        Masks = [.. pictures.Select(p => p.Mask).OfType<StoredMask>()];
        var classes = new ClassCount[dataset.Classes.Count];
        var outside = new SortedDictionary<int, OutsideValue>();
        foreach (StoredMask mask in Masks)
        {
            foreach (StoredValue value in mask.Values)
            {
                Pixels += value.Pixels;
                if (value.Meaning == StoredValue.Ignored)
                {
                    Unlabelled += value.Pixels;
                }
                else if (value.Meaning < 0)
                {
                    OutsideValue before = outside.GetValueOrDefault(value.Value) ?? new OutsideValue(value.Value, 0, 0, mask.Source);
                    outside[value.Value] = before with { Pixels = before.Pixels + value.Pixels, Masks = before.Masks + 1 };
                }
                else
                {
                    classes[value.Meaning] = new ClassCount(classes[value.Meaning].Pixels + value.Pixels, classes[value.Meaning].Pictures);
                }
            }

            // Several values may be one class; the picture counts once.
            foreach (int id in mask.Values.Where(v => v.IsClass).Select(v => v.Meaning).Distinct())
            {
                classes[id] = classes[id] with { Pictures = classes[id].Pictures + 1 };
            }
        }

        (Classes, Outside) = (classes, [.. outside.Values]);
        Sizes = [.. pictures.Where(p => p.Content is not null).Select(p => (p.Width, p.Height)).OrderBy(s => (long)s.Width * s.Height)
            .ThenBy(s => s.Width)];
    }

    /// <summary>"training" or "validation".</summary>
    internal string Part { get; }

    /// <summary>The part itself.</summary>
    internal SegmentationDataset Dataset { get; }

    /// <summary>Its pictures in order.</summary>
    internal IReadOnlyList<PictureSurvey> Pictures { get; }

    /// <summary>The masks that can be read.</summary>
    internal IReadOnlyList<StoredMask> Masks { get; }

    /// <summary>Pixels of these masks.</summary>
    internal long Pixels { get; }

    /// <summary>Those without a label.</summary>
    internal long Unlabelled { get; }

    /// <summary>By train id.</summary>
    internal IReadOnlyList<ClassCount> Classes { get; }

    /// <summary>Values that are no class, ascending.</summary>
    internal IReadOnlyList<OutsideValue> Outside { get; }

    /// <summary>Sizes of the pictures that can be read, by their number of pixels.</summary>
    internal IReadOnlyList<(int Width, int Height)> Sizes { get; }

    /// <summary>Reads a part on several threads.</summary>
    /// <param name="part">What it is for: "training" or "validation".</param>
    /// <param name="dataset">The part.</param>
    /// <param name="threads">Threads that read.</param>
    /// <param name="monitor">Follows; it is called from the caller's thread.</param>
    /// <param name="cancellation">Checked before each picture.</param>
    /// <exception cref="OperationCanceledException">Told to stop.</exception>
    internal static PartSurvey Read(string part, SegmentationDataset dataset, int threads, IRunMonitor monitor, CancellationToken cancellation)
    {
        var pictures = new PictureSurvey[dataset.Count];
        monitor.Loop($"{part} picture", 0, pictures.Length, progress =>
        {
            using var read = new BlockingCollection<int>();
            var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation };
            var reading = Task.Run(
                () =>
                {
                    try
                    {
                        Parallel.For(0, pictures.Length, options, i =>
                        {
                            pictures[i] = PictureSurvey.Of(dataset, i);
                            read.Add(i, CancellationToken.None);
                        });
                    }
                    finally
                    {
                        read.CompleteAdding();
                    }
                },
                CancellationToken.None);
            int done = 0;
            foreach (int ignored in read.GetConsumingEnumerable(CancellationToken.None))
            {
                progress.Report(new ProgressStatus(++done, double.NaN, double.NaN, done));
            }

            reading.GetAwaiter().GetResult();
            return done;
        });
        return new PartSurvey(part, dataset, pictures);
    }
}
