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

    private readonly LdvcCheckpoint _checkpoint;
    private readonly LoadedModel _loaded;
    private readonly SegmentationDataset? _scenes;
    private readonly SemaphoreSlim _turn = new(1);

    // The last one asked for stands last.
    private readonly List<(ClassList Classes, Segmenter Segmenter)> _lists = [];

    /// <summary>Loads the model.</summary>
    /// <param name="checkpoint">The trained model; must live as long as the service, and so must the device.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="clip">The CLIP's folder or file; null = where it lay in training.</param>
    /// <exception cref="InputException">The CLIP is missing or another one; the checkpoint is damaged.</exception>
    internal SegmentationService(LdvcCheckpoint checkpoint, Device device, string? clip)
    {
        _checkpoint = checkpoint;
        _loaded = checkpoint.LoadModel(device, clip);
        if (checkpoint.Config.Data.Kind == DataKind.Synthetic)
        {
            _scenes = DrawnData.Registry.OpenValidation(checkpoint.Config);
        }
    }

    /// <summary>The model, for the page.</summary>
    internal object Describe() => new
    {
        Checkpoint = Path.GetFileName(_checkpoint.Path),
        _checkpoint.Step,
        Setting = ConfigWriter.EnumName(_checkpoint.Config.Train.Setting),
        Classes = _checkpoint.Classes.Classes.Select(name => new { Name = name.ToString(), Seen = FreeVocabulary.IsSeen(_checkpoint.Seen, name) }),
        Background = _checkpoint.Config.Eval.Background ?? (ObjectsAlone ? DemoRun.BackgroundBelow : 0),
        Scenes = _scenes?.Count ?? 0,
    };

    // Scenes of objects on nothing that has a name: without a threshold, some object's name would win there.
    private bool ObjectsAlone => _scenes is not null && _checkpoint.Config.Data.Synthetic.Vocabulary == SceneVocabulary.Shapes;

    /// <summary>A drawn scene that training did not see, for a model that was trained on drawn scenes.</summary>
    /// <exception cref="InputException">The model was trained on something else, or there is no such scene.</exception>
    internal object Scene(int index)
    {
        if (_scenes is null)
        {
            throw new InputException($"scene: expected a model trained on drawn scenes, found one of {ConfigWriter.EnumName(_checkpoint.Config.Data.Kind)}.");
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
            bool[] seen = [.. classes.Classes.Select(c => FreeVocabulary.IsSeen(_checkpoint.Seen, c))];
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

        _loaded.Dispose();
        _turn.Dispose();
    }

    // Pictures of many sizes leave blocks of many sizes behind.
    private void TrimPool()
    {
        MemoryPool pool = _loaded.Device.Pool;
        if (pool.ReservedBytes - pool.LiveBytes > MaxSpare)
        {
            pool.Trim();
        }
    }

    private Segmenter SegmenterOf(ClassList classes)
    {
        int found = _lists.FindIndex(list => list.Classes.Classes.SequenceEqual(classes.Classes));
        var entry = found >= 0 ? _lists[found] : (classes, FreeVocabulary.CreateSegmenter(_checkpoint, _loaded, classes));
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
