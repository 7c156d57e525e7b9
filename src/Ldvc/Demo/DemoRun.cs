using System.Diagnostics;
using Ldvc.Ablation;
using Ldvc.Cli;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.Demo;

/// <summary>
/// The demo: trains ZegCLIP and LDVC on the seen classes of drawn scenes around the small CLIP of the repository, then segments pictures with seen and unseen
/// classes by their names. As a control, the same models are scored with the class embeddings dealt out wrongly. On a CPU both are computed at the same time,
/// on half of the threads each: models this small do not keep many threads busy. Results do not depend on it.
/// </summary>
internal sealed class DemoRun : IDisposable
{
    /// <summary>In the pictures without given objects, pixels below this score are background.</summary>
    internal const double BackgroundBelow = 0.2;

    private readonly LdvcConfig _config;
    private readonly VerbHost _host;
    private readonly Device[] _halves;
    private readonly DemoMethod _baseline;
    private readonly DemoMethod _ldvc;

    internal DemoRun(LdvcConfig config, string clipFolder, Device device, CommonOptions common)
    {
        _config = config;
        _host = common.Host;
        Validation = DatasetFactory.OpenValidation(config);
        int threads = device is CpuDevice cpu ? cpu.ThreadCount : 1;
        _halves = threads > 1 ? [common.Device.Open(threads / 2), common.Device.Open(threads - (threads / 2))] : [];
        _baseline = new DemoMethod(AblationRow.Zegclip, config, clipFolder, Validation, _halves.Length > 0 ? _halves[0] : device);
        _ldvc = new DemoMethod(AblationRow.Ldvc, config, clipFolder, Validation, _halves.Length > 0 ? _halves[1] : device);
    }

    /// <summary>The pictures that are scored.</summary>
    internal SegmentationDataset Validation { get; }

    /// <summary>Trains and scores both.</summary>
    internal DemoResult Run()
    {
        var clock = Stopwatch.StartNew();
        var (baseline, ldvc) = _halves.Length > 0 ? RunTogether() : (Run(_baseline, _host), Run(_ldvc, _host));
        return new DemoResult(
            baseline,
            ldvc,
            Bootstrap.Of(baseline.Pictures, Validation.Classes, Validation.Split),
            Bootstrap.Of(ldvc.Pictures, Validation.Classes, Validation.Split),
            Bootstrap.Difference(baseline.Pictures, ldvc.Pictures, Validation.Classes, Validation.Split),
            _config.Train.Steps,
            clock.Elapsed.TotalSeconds);
    }

    /// <summary>The first validation pictures: what each method says, the best class everywhere; and LDVC's answer with background where no class is probable.</summary>
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
        _baseline.Dispose();
        _ldvc.Dispose();
        foreach (Device half in _halves)
        {
            half.Dispose();
        }
    }

    private (MethodResult Baseline, MethodResult Ldvc) RunTogether() => ProgressReporter.Together(_host, host =>
    {
        var results = new MethodResult[2];
        Jobs.Run(2, host, (i, own) => results[i] = Run(i == 0 ? _baseline : _ldvc, own));
        return (results[0], results[1]);
    });

    private static MethodResult Run(DemoMethod method, VerbHost host)
    {
        var clock = Stopwatch.StartNew();
        var losses = method.Train(host);
        return method.Score(host, losses, clock.Elapsed.TotalSeconds);
    }
}
