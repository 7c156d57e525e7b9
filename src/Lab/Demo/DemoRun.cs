using System.Diagnostics;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Lab.Ablation;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.Lab.Demo;

/// <summary>
/// The demo: trains ZegCLIP and LDVC on the seen classes of drawn scenes around the small CLIP of the repository, then segments pictures with seen
/// and unseen classes by their names. As a control, the same models are scored with the class embeddings shuffled.
/// </summary>
internal sealed class DemoRun : IDisposable
{
    /// <summary>In the pictures without given objects, pixels below this score are background.</summary>
    internal const double BackgroundBelow = 0.2;

    private readonly LdvcConfig _config;
    private readonly IRunMonitor _monitor;
    private readonly CancellationToken _cancellation;
    private readonly TrainingFreeRow _free;
    private readonly DemoMethod _baseline;
    private readonly DemoMethod _ldvc;

    internal DemoRun(LdvcConfig config, string clipFolder, Device device, IRunMonitor monitor, CancellationToken cancellation)
    {
        (_config, _monitor, _cancellation) = (config, monitor, cancellation);
        Validation = DrawnData.Registry.OpenValidation(config);
        _free = new TrainingFreeRow(config, clipFolder, device);
        _baseline = new DemoMethod(AblationRow.Zegclip, config, clipFolder, Validation, device);
        _ldvc = new DemoMethod(AblationRow.Ldvc, config, clipFolder, Validation, device);
    }

    /// <summary>The pictures that are scored.</summary>
    internal SegmentationDataset Validation { get; }

    /// <summary>Scores the CLIP alone, trains both methods and scores them.</summary>
    internal DemoResult Run()
    {
        var clock = Stopwatch.StartNew();
        MethodResult free = new DemoScoring(_monitor, Validation, _free.Device).Run(
            AblationVariant.TitleOf(AblationRow.TrainingFree), names => _free.CreateSegmenter(Validation, names), 0, _cancellation);
        MethodResult baseline = Run(_baseline), ldvc = Run(_ldvc);
        return new DemoResult(
            free,
            baseline,
            ldvc,
            Bootstrap.Of(free.Pictures, Validation.Classes, Validation.Split),
            Bootstrap.Of(baseline.Pictures, Validation.Classes, Validation.Split),
            Bootstrap.Of(ldvc.Pictures, Validation.Classes, Validation.Split),
            Bootstrap.Difference(baseline.Pictures, ldvc.Pictures, Validation.Classes, Validation.Split),
            _config.Train.Steps,
            clock.Elapsed.TotalSeconds);
    }

    /// <summary>Writes both trained models as checkpoints of `ldvc train`.</summary>
    /// <exception cref="InputException">A file cannot be written.</exception>
    internal void Save(string folder)
    {
        _baseline.Save(Path.Combine(folder, DemoFiles.ZegclipFile));
        _ldvc.Save(Path.Combine(folder, DemoFiles.LdvcFile));
    }

    /// <summary>
    /// The first validation pictures: what each method says, the best class everywhere; and LDVC's answer with background where no class is probable.
    /// </summary>
    internal IEnumerable<(RgbImage Picture, LabelMap Truth, LabelMap Baseline, LabelMap Ldvc, LabelMap Open)> Examples(int count)
    {
        count = Math.Min(count, Validation.Count);
        int index = 0;
        foreach (var (baseline, ldvc, open) in _baseline.Examples(count).Zip(_ldvc.Examples(count), _ldvc.Examples(count, BackgroundBelow)))
        {
            var (picture, truth) = Validation.Read(index++);
            yield return (picture, truth, baseline, ldvc, open);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _free.Dispose();
        _baseline.Dispose();
        _ldvc.Dispose();
    }

    private MethodResult Run(DemoMethod method)
    {
        var clock = Stopwatch.StartNew();
        var losses = method.Train(_monitor, _cancellation);
        return method.Score(_monitor, losses, clock.Elapsed.TotalSeconds, _cancellation);
    }
}
