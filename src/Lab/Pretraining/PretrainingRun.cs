using System.Diagnostics;
using System.Globalization;
using Ldvc.Configuration;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Training;

namespace Ldvc.Lab.Pretraining;

/// <summary>How `ldvc pretrain` ended.</summary>
/// <param name="Finished">Whether all steps are done and the CLIP is written; false when it was interrupted.</param>
/// <param name="Step">Steps done in all.</param>
/// <param name="Seconds">Seconds of training in this process.</param>
/// <param name="Folder">The run's folder.</param>
/// <param name="Clip">The CLIP's folder; null when it was interrupted.</param>
/// <param name="WeightBytes">Bytes of the CLIP's weights; null when it was interrupted.</param>
/// <param name="Report">What the CLIP can do; null when it was interrupted.</param>
internal sealed record PretrainingOutcome(bool Finished, long Step, double Seconds, string Folder, string? Clip, long? WeightBytes, ClipReport? Report);

/// <summary>
/// `ldvc pretrain`: the run (checkpoints, curves) lives in OUT-run; the finished CLIP goes to OUT, where nothing but the CLIP is. Stopped and resumed,
/// it ends with the same bytes as a run that was not.
/// </summary>
internal sealed class PretrainingRun
{
    private const string OutKey = "pretrain.out";
    private const int Kept = 2;

    private readonly PretrainConfig _config;
    private readonly IRunMonitor _monitor;
    private readonly CancellationToken _cancellation;
    private readonly RunFolder _folder;
    private readonly CheckpointFolder _checkpoints;
    private readonly Pretrainer _trainer;
    private readonly RunLog _log;
    private readonly Stopwatch _clock = new();
    private string? _checkpoint;

    private PretrainingRun(PretrainConfig config, IRunMonitor monitor, RunFolder folder, CheckpointFolder checkpoints, Pretrainer trainer, RunLog log, string? checkpoint, CancellationToken cancellation)
    {
        (_config, _monitor, _folder, _checkpoints, _trainer, _log, _checkpoint, _cancellation) = (config, monitor, folder, checkpoints, trainer, log, checkpoint, cancellation);
    }

    /// <summary>Starts or continues a run and brings it to its end, or to Ctrl-C.</summary>
    /// <param name="config">The configuration; pretrain.out is set to the folder.</param>
    /// <param name="output">The CLIP's folder.</param>
    /// <param name="resume">Whether a run that is there is continued; without it, a run that is there is an error.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="threads">Threads that draw pictures.</param>
    /// <param name="monitor">Follows the run.</param>
    /// <param name="cancellation">Set when the run is to stop; it saves first.</param>
    /// <exception cref="InputException">Bad input, or training that diverged.</exception>
    internal static PretrainingOutcome Run(LdvcConfig config, string output, bool resume, Device device, int threads, IRunMonitor monitor, CancellationToken cancellation)
    {
        config = config with { Pretrain = config.Pretrain with { Out = output } };
        device.Precision = config.Pretrain.Precision;
        string root = Path.TrimEndingDirectorySeparator(output) + "-run";
        bool existed = RunFolder.Check(root, config, resume, OutKey);
        if (!existed && (File.Exists(output) || (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any())))
        {
            // Whatever lies there may be somebody's own CLIP.
            throw new InputException($"{output}: expected an empty folder for the CLIP, found files; choose another {OutKey}.");
        }

        using var trainer = new Pretrainer(config.Pretrain, device, threads);
        using RunFolder folder = RunFolder.Open(root, config, resume, OutKey);
        var checkpoints = new CheckpointFolder(folder.CheckpointsPath, Kept, monitor.Warn, config.Pretrain.Steps);
        checkpoints.RemoveLeftovers();
        string? newest = folder.Existed ? checkpoints.Latest()?.Path : null;
        if (newest is not null)
        {
            trainer.Load(newest);
            monitor.Say($"continuing after step {trainer.Step}");
        }

        using var log = new RunLog(folder, trainer.Step);
        return new PretrainingRun(config.Pretrain, monitor, folder, checkpoints, trainer, log, newest, cancellation).Execute(output);
    }

    private PretrainingOutcome Execute(string output)
    {
        using CancellationTokenRegistration notice = RunLog.NoticeInterrupts(_monitor, _cancellation);
        if (_trainer.Step < _config.Steps && !_monitor.Loop("step", (int)_trainer.Step, _config.Steps, Train))
        {
            string saved = _trainer.Step == 0 ? "nothing to save yet" : $"saved as {_checkpoint}";
            _monitor.Say($"stopped after step {_trainer.Step} of {_config.Steps}; {saved}; to go on: ldvc pretrain {_folder.ConfigPath} --resume");
            return new PretrainingOutcome(false, _trainer.Step, _clock.Elapsed.TotalSeconds, _folder.Root, null, null, null);
        }

        _trainer.Export(output);
        ClipReport report = _trainer.Report();
        long bytes = new FileInfo(Path.Combine(output, "model.safetensors")).Length;
        var outcome = new PretrainingOutcome(true, _trainer.Step, _clock.Elapsed.TotalSeconds, _folder.Root, output, bytes, report);
        AtomicFile.WriteText(_folder.ScoresPath, JsonText.Of(new { _trainer.Step, WeightBytes = bytes, Report = report }));
        foreach (string line in report.Lines())
        {
            _monitor.Say(line);
        }

        _monitor.Say($"{_config.Steps} steps, {TimeText.Span(_clock.Elapsed.TotalSeconds)} of them here");
        _monitor.Say(string.Create(CultureInfo.InvariantCulture, $"CLIP        {output}, {bytes / 1e6:F2} MB of weights"));
        _monitor.Say($"curves      {_folder.MetricsPath}, or: tensorboard --logdir {_folder.Root}");
        return outcome;
    }

    private bool Train(IProgress<ProgressStatus> progress)
    {
        CaptionBatches batches = _trainer.CreateBatches();
        long first = _trainer.Step;
        var part = (Step: first, Time: TimeSpan.Zero);
        _clock.Start();
        try
        {
            while (_trainer.Step < _config.Steps)
            {
                if (_cancellation.IsCancellationRequested)
                {
                    Save();
                    return false;
                }

                double rate = _trainer.RateAt(_trainer.Step);
                float loss = _trainer.RunStep(batches);
                long step = _trainer.Step;
                progress.Report(new ProgressStatus((int)step, loss, rate, (step - first) * _config.Batch));
                if (step % _config.LogEvery == 0 || step == _config.Steps)
                {
                    double seconds = Math.Max((_clock.Elapsed - part.Time).TotalSeconds, 1e-9);
                    _log.Add(step, ("loss", loss), ("lr", rate), ("images_per_second", (step - part.Step) * _config.Batch / seconds));
                    part = (step, _clock.Elapsed);
                }

                if (step % _config.CheckpointEvery == 0 || step == _config.Steps)
                {
                    Save();
                }
            }

            return true;
        }
        finally
        {
            _clock.Stop();
        }
    }

    private void Save()
    {
        int step = (int)_trainer.Step;
        if (step > 0 && _checkpoint != _checkpoints.PathOf(step))
        {
            _checkpoint = _checkpoints.Save(step, _trainer.Compose());
            _monitor.Say($"checkpoint {_checkpoint}");
        }
    }
}
