using System.Diagnostics;
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

namespace Ldvc.App.Web;

/// <summary>
/// What the page of `ldvc serve` asks for: pictures labelled with any names. One picture is computed at a time, because one uses the whole device; the
/// embeddings of the last lists of names are kept.
/// </summary>
internal sealed class SegmentationService : IDisposable
{
    private const int ListsKept = 8;
    private const long MaxSpare = 1L << 30;

    // What the page begins with where there was no training that has classes.
    private static readonly string[] UsualClasses = ["person", "cat", "dog", "car", "tree", "grass", "sky", "building", "road", "water"];

    private readonly SegmentationModel _model;
    private readonly SegmentationDataset? _scenes;
    private readonly SemaphoreSlim _turn = new(1);

    // The last one asked for stands last.
    private readonly List<(ClassList Classes, Segmenter Segmenter)> _lists = [];

    /// <summary>Takes ownership of a model.</summary>
    /// <param name="model">What segments.</param>
    internal SegmentationService(SegmentationModel model)
    {
        _model = model;
        if (model.Checkpoint is { } checkpoint && checkpoint.Config.Data.Kind == DataKind.Synthetic)
        {
            _scenes = DrawnData.Registry.OpenValidation(checkpoint.Config);
        }
    }

    /// <summary>The model, for the page. Without a checkpoint, that, step and setting are null, and the classes are only where the page begins.</summary>
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

    /// <summary>Labels a picture.</summary>
    /// <param name="name">What to call the picture in messages.</param>
    /// <param name="encoded">The picture's file.</param>
    /// <param name="classes">The classes; their order gives the indices.</param>
    /// <param name="background">Pixels whose best probability lies below this become background; null = none do.</param>
    /// <param name="cancellation">The client has gone, or the program is to end; a picture that is being computed is finished.</param>
    /// <exception cref="InputException">The picture cannot be read.</exception>
    internal async Task<SegmentationAnswer> SegmentAsync(string name, byte[] encoded, ClassList classes, double? background, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            // In turn, too: a small file may be a large picture, and many of them more than there is memory for.
            RgbImage picture = ImageReader.Decode(encoded, name);
            long started = Stopwatch.GetTimestamp();
            SegmentResult result = SegmenterOf(classes).Label(picture, name, background);
            bool[] seen = [.. classes.Classes.Select(c => _model.IsSeen(c))];
            return new SegmentationAnswer(result, seen, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        finally
        {
            TrimPool();
            _turn.Release();
        }
    }

    /// <summary>Waits for the picture that is being computed, if one is; none is begun after it.</summary>
    public void Dispose()
    {
        _turn.Wait();
        foreach (var (_, segmenter) in _lists)
        {
            segmenter.Dispose();
        }

        _model.Dispose();
        _turn.Dispose();
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

    private Segmenter SegmenterOf(ClassList classes)
    {
        int found = _lists.FindIndex(list => list.Classes.Classes.SequenceEqual(classes.Classes));
        var entry = found >= 0 ? _lists[found] : (classes, _model.CreateSegmenter(classes));
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
