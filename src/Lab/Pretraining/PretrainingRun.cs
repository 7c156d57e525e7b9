using System.Globalization;
using Ldvc.Configuration;
using Ldvc.Distributed;
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
internal sealed record PretrainingOutcome(
    bool Finished, long Step, double Seconds, string Folder, string? Clip, long? WeightBytes, ClipReport? Report);

/// <summary>
/// `ldvc pretrain`: the run (checkpoints, curves) lives in OUT-run; the finished CLIP goes to OUT, where nothing but the CLIP is. Stopped and
/// resumed, it ends with the same bytes as a run that was not.
/// </summary>
internal static class PretrainingRun
{
    private const string OutKey = "pretrain.out";
    private const string Suffix = "-run";
    private const int Kept = 2;

    /// <summary>
    /// The CLIP's folder of a run whose own configuration file is named: it goes on where it lies, wherever it was started; null for other files.
    /// </summary>
    internal static string? OutputOf(string configFile) =>
        RunFolder.Around(configFile) is { } found && Path.GetFullPath(found) is var root && root.EndsWith(Suffix, StringComparison.Ordinal)
            && Path.GetFileName(root).Length > Suffix.Length
            ? root[..^Suffix.Length]
            : null;

    /// <summary>Starts or continues a run and brings it to its end, or to Ctrl-C.</summary>
    /// <param name="config">The configuration; pretrain.out is set to the folder.</param>
    /// <param name="output">The CLIP's folder.</param>
    /// <param name="resume">Whether a run that is there is continued; without it, a run that is there is an error.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="threads">Threads that draw pictures.</param>
    /// <param name="monitor">Follows the run.</param>
    /// <param name="cancellation">Set when the run is to stop; it saves first.</param>
    /// <exception cref="InputException">Bad input, or training that diverged.</exception>
    internal static PretrainingOutcome Run(
        LdvcConfig config, string output, bool resume, Device device, int threads, IRunMonitor monitor, CancellationToken cancellation)
    {
        config = config with { Pretrain = config.Pretrain with { Out = output } };
        device.Precision = config.Pretrain.Precision;
        string root = Path.TrimEndingDirectorySeparator(output) + Suffix;
        bool existed = RunFolder.Check(root, config, resume, OutKey);
        if (!existed && (File.Exists(output) || (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any())))
        {
            // Files that lie there may be a CLIP of the user's.
            throw new InputException($"{output}: expected an empty folder for the CLIP, found files; choose another {OutKey}.");
        }

        using var trainer = new Pretrainer(config.Pretrain, device, threads);
        if (config.Pretrain.Warmup > config.Pretrain.Steps)
        {
            monitor.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"note: pretrain.warmup is {config.Pretrain.Warmup} steps and the training {config.Pretrain.Steps}: the learning rate never gets to "
                    + $"pretrain.lr = {config.Pretrain.Lr}; its largest value is {trainer.RateAt(config.Pretrain.Steps - 1):G3}"));
        }

        using RunFolder folder = RunFolder.Open(root, config, resume, OutKey);
        var checkpoints = new CheckpointFolder(folder.CheckpointsPath, Kept, monitor.Warn, config.Pretrain.Steps);
        checkpoints.RemoveLeftovers();
        string? newest = folder.Existed ? checkpoints.Latest()?.Path : null;
        if (newest is not null)
        {
            trainer.Load(newest);
            monitor.Say($"continuing after step {trainer.Step}");
            foreach (string change in folder.Changes)
            {
                monitor.Say(change);
            }
        }
        else if (folder.Existed)
        {
            monitor.Say("no checkpoint to continue from: the run begins anew");
        }

        using var log = new RunLog(folder, trainer.Step);
        var schedule = new RunSchedule(config.Pretrain.Steps, config.Pretrain.Batch, config.Pretrain.LogEvery, config.Pretrain.CheckpointEvery);
        var loop = new RunLoop(trainer, schedule, checkpoints, newest, log, monitor, JobMember.Alone(cancellation));
        using CancellationTokenRegistration notice = RunLog.NoticeInterrupts(monitor, cancellation);
        if (trainer.Step < schedule.Steps && !loop.RunUntil(schedule.Steps))
        {
            loop.SayStopped($"step {trainer.Step} of {schedule.Steps}", $"ldvc pretrain {folder.ConfigPath} --resume");
            return new PretrainingOutcome(false, trainer.Step, loop.Elapsed.TotalSeconds, folder.Root, null, null, null);
        }

        trainer.Export(output);
        PretrainingOutcome outcome = Finish(trainer, output, folder, loop.Elapsed.TotalSeconds);
        Summarise(outcome, folder, monitor);
        return outcome;
    }

    private static PretrainingOutcome Finish(Pretrainer trainer, string output, RunFolder folder, double seconds)
    {
        ClipReport report = trainer.Report();
        long bytes = new FileInfo(Path.Combine(output, "model.safetensors")).Length;
        JsonText.Write(folder.ScoresPath, new { trainer.Step, WeightBytes = bytes, Report = report });
        return new PretrainingOutcome(true, trainer.Step, seconds, folder.Root, output, bytes, report);
    }

    private static void Summarise(PretrainingOutcome outcome, RunFolder folder, IRunMonitor monitor)
    {
        foreach (string line in outcome.Report!.Lines())
        {
            monitor.Say(line);
        }

        monitor.Say($"{outcome.Step} steps, {TimeText.Span(outcome.Seconds)} of them here");
        monitor.Say(string.Create(CultureInfo.InvariantCulture, $"CLIP        {outcome.Clip}, {outcome.WeightBytes / 1e6:F2} MB of weights"));
        monitor.Say($"curves      {folder.MetricsPath}, or: tensorboard --logdir {folder.Root}");
    }
}
