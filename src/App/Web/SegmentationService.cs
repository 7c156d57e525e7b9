using System.Diagnostics;
using System.Net;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Inference;
using Ldvc.Lab.Demo;
using Ldvc.Lab.Synthetic;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;
using Microsoft.AspNetCore.Http;

namespace Ldvc.App.Web;

/// <summary>
/// What the page of `ldvc serve` asks for: pictures labelled with any names. One picture is computed at a time, because one uses the whole device;
/// the embeddings of the last lists of names are kept.
/// </summary>
internal sealed class SegmentationService : IDisposable
{
    private const int ListsKept = 8;
    private const long MaxSpare = 1L << 30;

    // What the page begins with where there was no training that has classes.
    private static readonly string[] UsualClasses = ["person", "cat", "dog", "car", "tree", "grass", "sky", "building", "road", "water"];

    private readonly SegmentationModel _model;
    private readonly SegmentationDataset? _scenes;
    private readonly ServerLimits _limits;
    private readonly HeldBytes _held;
    private readonly Timer _rest;

    // The last one asked for stands last.
    private readonly List<(ClassList Classes, Segmenter Segmenter)> _lists = [];

    /// <summary>Takes ownership of a model.</summary>
    /// <param name="model">What segments.</param>
    /// <param name="limits">What is granted.</param>
    /// <param name="held">Bytes of requests: with too many, no picture is begun.</param>
    internal SegmentationService(SegmentationModel model, ServerLimits limits, HeldBytes held)
    {
        (_model, _limits, _held) = (model, limits, held);
        Turn = new TurnQueue(limits.MaxWaiting);
        _rest = new Timer(_ => Rest());
        if (model.Checkpoint is { } checkpoint && checkpoint.Config.Data.Kind == DataKind.Synthetic)
        {
            _scenes = DrawnData.Registry.OpenValidation(checkpoint.Config);
        }
    }

    /// <summary>Whose turn it is, and who waits.</summary>
    internal TurnQueue Turn { get; }

    /// <summary>
    /// The model, for the page. Without a checkpoint, that, step and setting are null, and the classes are only where the page begins.
    /// </summary>
    internal object Describe() => new
    {
        Checkpoint = _model.Checkpoint is { } trained ? Path.GetFileName(trained.Path) : null,
        _model.Checkpoint?.Step,
        Setting = _model.Checkpoint is { } checkpoint ? ConfigWriter.EnumName(checkpoint.Config.Train.Setting) : null,
        Classes = _model.Checkpoint is { } own
            ? own.Classes.Classes.Select(name => new { Name = name.ToString(), Seen = _model.IsSeen(name) })
            : UsualClasses.Select(name => new { Name = name, Seen = false }),
        Background = _model.Background ?? (ObjectsAlone ? DemoRun.BackgroundBelow : 0),
        Scenes = _scenes?.Count ?? 0,
    };

    // Scenes of objects on nothing that has a name: without a threshold, some object's name would win there.
    private bool ObjectsAlone => _scenes is not null && _model.Checkpoint!.Config.Data.Synthetic.Vocabulary == SceneVocabulary.Shapes;

    /// <summary>A drawn scene that training did not see, for a model that was trained on drawn scenes.</summary>
    /// <exception cref="InputException">The model was trained on something else, or there is no such scene.</exception>
    internal object Scene(int index)
    {
        if (_scenes is null)
        {
            string found = _model.Checkpoint is { } checkpoint ? $"one of {ConfigWriter.EnumName(checkpoint.Config.Data.Kind)}" : "a CLIP alone";
            throw new InputException($"scene: expected a model trained on drawn scenes, found {found}.");
        }

        if (index < 0 || index >= _scenes.Count)
        {
            throw new InputException($"scene: expected a number from 0 to {_scenes.Count - 1}, found {index}.");
        }

        var (picture, truth) = _scenes.Read(index);
        return new
        {
            Index = index,
            Image = ImageWriter.EncodePng(picture),
            Classes = truth.Labels.Distinct().Where(label => label != LabelMap.Ignore).Order().Select(label => _scenes.Classes[label]),
        };
    }

    /// <summary>Labels a picture, when it is its turn.</summary>
    /// <param name="address">Who sent it: addresses take turns.</param>
    /// <param name="name">What to call the picture in messages.</param>
    /// <param name="encoded">The picture's file, whose header is known to claim a size that is granted.</param>
    /// <param name="classes">The classes; their order gives the indices.</param>
    /// <param name="background">Pixels whose best probability lies below this become background; null = as the model's eval.background says.</param>
    /// <param name="cancellation">The client has gone, or the program is to end: the work stops at the next batch of windows or names.</param>
    /// <exception cref="InputException">The picture cannot be read, or a name cannot be encoded.</exception>
    /// <exception cref="RequestException">There is no place to wait, no memory, or the picture is too long and narrow.</exception>
    internal async Task<LabelledPicture> SegmentAsync(
        IPAddress address, string name, ReadOnlyMemory<byte> encoded, ClassList classes, double? background, CancellationToken cancellation)
    {
        await Turn.EnterAsync(address, cancellation).ConfigureAwait(false);
        try
        {
            _held.CheckRoom();
            Segmenter segmenter = SegmenterOf(classes, cancellation);

            // In turn, too: a small file may be a large picture, and many of them more than there is memory for.
            RgbImage picture = ImageReader.Decode(encoded.Span, name);
            CheckWork(segmenter, picture, name);
            long started = Stopwatch.GetTimestamp();
            SegmentResult result = segmenter.LabelAll(
                [(picture, name)], background ?? _model.Background, progress: (_, _) => cancellation.ThrowIfCancellationRequested())[0].Result;
            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            cancellation.ThrowIfCancellationRequested();
            return new LabelledPicture(result, [.. classes.Classes.Select(_model.IsSeen)], seconds);
        }
        finally
        {
            TrimPool();
            Turn.Leave();
        }
    }

    /// <summary>Memory goes back to the system when no picture has come for a while.</summary>
    internal void RestLater() => _rest.Change(_limits.RestAfter, Timeout.InfiniteTimeSpan);

    /// <summary>Waits for the picture that is being computed, if one is; none is begun after it.</summary>
    public void Dispose()
    {
        Turn.EnterAsync(IPAddress.None, CancellationToken.None).GetAwaiter().GetResult();
        _rest.Dispose();
        foreach (var (_, segmenter) in _lists)
        {
            segmenter.Dispose();
        }

        _model.Dispose();
    }

    // A long and narrow picture that is resized to a fixed short side has many more pixels than its file.
    private void CheckWork(Segmenter segmenter, RgbImage picture, string name)
    {
        long pixels = segmenter.ResizedPixels(picture.Width, picture.Height);
        if (pixels > _limits.MaxPixels)
        {
            throw new RequestException(
                StatusCodes.Status413PayloadTooLarge,
                RejectReasons.Pixels,
                $"{name}: {picture.Width}x{picture.Height} pixels become {pixels} when the short side is resized, expected at most "
                    + $"{_limits.MaxPixels}.");
        }
    }

    private void Rest()
    {
        if (Turn.TryEnter())
        {
            try
            {
                _model.Device.Pool.Trim();
                SystemMemory.GiveBack();
            }
            finally
            {
                Turn.Leave();
            }
        }
    }

    // Pictures of many sizes leave blocks of many sizes behind.
    private void TrimPool()
    {
        MemoryPool pool = _model.Device.Pool;
        if (pool.ReservedBytes - pool.LiveBytes > MaxSpare)
        {
            pool.Trim();
        }
    }

    private Segmenter SegmenterOf(ClassList classes, CancellationToken cancellation)
    {
        int found = _lists.FindIndex(list => list.Classes.Classes.SequenceEqual(classes.Classes));
        var entry = found >= 0 ? _lists[found] : (classes, _model.Prepare(classes, cancellation));
        if (found >= 0)
        {
            _lists.RemoveAt(found);
        }
        else if (_lists.Count == ListsKept)
        {
            _lists[0].Segmenter.Dispose();
            _lists.RemoveAt(0);
        }

        _lists.Add(entry);
        return entry.Item2;
    }
}
