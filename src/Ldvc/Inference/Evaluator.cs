using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Distributed;
using Ldvc.Imaging;
using Ldvc.Kernels;
using Ldvc.Kernels.Devices;
using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Inference;

/// <summary>Scores a model on the validation part of a data set.</summary>
public static class Evaluator
{
    /// <summary>Runs every picture (or the first `limit`) through sliding-window inference.</summary>
    /// <param name="loaded">The model.</param>
    /// <param name="dataset">Pictures and truth.</param>
    /// <param name="config">Windows, penalty, background.</param>
    /// <param name="progress">Told the number of pictures done after each.</param>
    /// <param name="names">Names to encode instead of the data set's, one per class (the shuffled control of the demo).</param>
    /// <param name="cancellation">Checked before each picture.</param>
    public static Scores Run(
        LoadedModel loaded, SegmentationDataset dataset, LdvcConfig config, Action<int>? progress = null, IReadOnlyList<string>? names = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(loaded);
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(config);
        ConfigCheck.Whole(config);
        if (names is not null && names.Count != dataset.Classes.Count)
        {
            throw new ArgumentException(
                $"evaluation: expected a name for each of the {dataset.Classes.Count} classes of {dataset.Name}, got {names.Count}", nameof(names));
        }

        Confusion confusion = Confuse(loaded, dataset, config, progress, names, show: null, JobMember.Alone(cancellation));
        return Scores.From(confusion, dataset.Classes, dataset.Split);
    }

    /// <summary>The same as a confusion matrix.</summary>
    /// <param name="loaded">The model.</param>
    /// <param name="dataset">Pictures and truth.</param>
    /// <param name="config">Windows, penalty, background.</param>
    /// <param name="progress">Told the number of pictures done after each.</param>
    /// <param name="names">Names to encode instead of the data set's, one per class.</param>
    /// <param name="show">Shown the first pictures; null = nobody is.</param>
    /// <param name="job">Its processes share the pictures; all get the matrix of all.</param>
    internal static Confusion Confuse(
        LoadedModel loaded,
        SegmentationDataset dataset,
        LdvcConfig config,
        Action<int>? progress,
        IReadOnlyList<string>? names,
        PictureShow? show,
        JobMember job)
    {
        using var segmenter = CreateSegmenter(loaded, dataset, config, names);
        return Confuse(segmenter, loaded.Device, dataset, config, config.Eval.Background, progress, show, job);
    }

    /// <summary>The same with any segmenter of the data set's classes.</summary>
    internal static Confusion Confuse(
        Segmenter segmenter,
        Device device,
        SegmentationDataset dataset,
        LdvcConfig config,
        double? background,
        Action<int>? progress,
        PictureShow? show,
        JobMember job)
    {
        DatasetCheck.Parts(dataset);
        Confusion.CheckRoom(dataset.Name, dataset.Classes.Count);
        var confusion = new Confusion(dataset.Classes.Count);
        int count = Count(dataset, config), done = 0;
        SharedWork.Run(job, cancellation =>
        {
            foreach (int i in Deal.Of(job.Group, count))
            {
                cancellation.ThrowIfCancellationRequested();
                var (picture, truth) = DatasetCheck.Read(dataset, i);
                LabelMap labels = OfPicture(dataset, i, () => segmenter.Segment(picture, background).Labels);
                Count(device, truth, labels, confusion);

                // The others are about as far.
                done = Math.Min(count, done + job.Group.Size);
                if (i < show?.Count && job.IsAlone)
                {
                    show.Show(dataset.GetId(i), picture, truth, labels);
                }

                progress?.Invoke(done);
            }
        });
        job.Group.Sum(confusion.Counts.AsSpan());
        ShowFirst(segmenter, dataset, background, show, job, count);
        return confusion;
    }

    /// <summary>Computes something of a picture; what is wrong with the picture is said with its name.</summary>
    /// <exception cref="InputException">The computation refuses it.</exception>
    internal static T OfPicture<T>(SegmentationDataset dataset, int index, Func<T> compute)
    {
        try
        {
            return compute();
        }
        catch (InputException e)
        {
            throw new InputException($"{dataset.Name}: picture '{dataset.GetId(index)}': {e.Message}", e);
        }
    }

    // The first pictures belong to several processes; the one that shows them computes them again.
    private static void ShowFirst(Segmenter segmenter, SegmentationDataset dataset, double? background, PictureShow? show, JobMember job, int count)
    {
        if (show is null || job.IsAlone)
        {
            return;
        }

        job.OnFirst(() =>
        {
            for (int i = 0; i < Math.Min(show.Count, count); i++)
            {
                var (picture, truth) = DatasetCheck.Read(dataset, i);
                show.Show(dataset.GetId(i), picture, truth, segmenter.Segment(picture, background).Labels);
            }
        });
    }

    /// <summary>Pictures an evaluation is of: all, or the first eval.limit.</summary>
    internal static int Count(SegmentationDataset dataset, LdvcConfig config) =>
        config.Eval.Limit > 0 ? Math.Min(config.Eval.Limit, dataset.Count) : dataset.Count;

    /// <summary>Adds one picture's pixels to a confusion matrix.</summary>
    internal static void Count(Device device, LabelMap truth, LabelMap labels, Confusion confusion)
    {
        // Labels of many classes were put together on the host, and the matrix is larger than the picture.
        if (truth.IsWide || labels.IsWide)
        {
            confusion.Add(truth, labels);
            return;
        }

        using var wanted = device.FromHost(truth.Labels, new Shape(truth.Height, truth.Width));
        using var actual = device.FromHost(labels.Labels, new Shape(labels.Height, labels.Width));
        KernelSet.For(device).Segmentation.Confusion(wanted, actual, confusion.Counts, confusion.Classes, actual.Count);
    }

    /// <summary>A segmenter for a data set's classes and their synonyms, with the seen penalty where it belongs: after inductive training.</summary>
    internal static Segmenter CreateSegmenter(LoadedModel loaded, SegmentationDataset dataset, LdvcConfig config, IReadOnlyList<string>? names = null)
    {
        ClassList classes = names is null ? dataset.Classes : new ClassList(names, dataset.Name);
        bool applies = config.Train.Setting == TrainSetting.Inductive && dataset.Split.Unseen.Length > 0;
        float penalty = applies ? (float)config.Eval.SeenPenalty : 0;
        float[] penalties = [.. classes.Owners.Select(id => dataset.Split.IsSeen(id) ? penalty : 0)];
        Segmenter.CheckWindows(config.Eval, loaded.Clip.Config.PatchSize, config.Place);
        return new Segmenter(
            loaded.Model, loaded.EmbedClasses(classes.Texts), penalties, config.Eval, PictureStatistics.Of(config.Data, loaded.Statistics), classes);
    }
}
