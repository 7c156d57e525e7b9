using System.Diagnostics;
using Ldvc.Distributed;
using Ldvc.Tensors;

namespace Ldvc.Training;

/// <summary>When a run does what.</summary>
/// <param name="Steps">Optimiser steps in all.</param>
/// <param name="Batch">Pictures per step.</param>
/// <param name="LogEvery">Steps between lines of metrics.</param>
/// <param name="CheckpointEvery">Steps between checkpoints; the last step always has one.</param>
/// <param name="CheckpointAt">A step that has one besides; 0 = none.</param>
internal sealed record RunSchedule(int Steps, int Batch, int LogEvery, int CheckpointEvery, int CheckpointAt = 0);

/// <summary>
/// The steps of a run in its folder: trains, reports, writes metrics and checkpoints, and when it is told to stop saves first. What is trained and
/// what is done between the steps is the caller's business.
/// </summary>
internal sealed class RunLoop
{
    private readonly ITrainable _trained;
    private readonly RunSchedule _schedule;
    private readonly CheckpointFolder _checkpoints;
    private readonly RunLog? _log;
    private readonly IRunMonitor _monitor;
    private readonly JobMember _job;
    private readonly Stopwatch _clock = new();

    /// <summary>Goes on from what has been trained before.</summary>
    /// <param name="trained">What is trained.</param>
    /// <param name="schedule">When to do what.</param>
    /// <param name="checkpoints">Where states are saved.</param>
    /// <param name="checkpoint">The file that training continues from; null at the beginning.</param>
    /// <param name="log">Gets the metrics; null in processes that do not write.</param>
    /// <param name="monitor">Follows the run.</param>
    /// <param name="job">Says who writes, and when the run is to stop.</param>
    internal RunLoop(
        ITrainable trained, RunSchedule schedule, CheckpointFolder checkpoints, string? checkpoint, RunLog? log, IRunMonitor monitor, JobMember job)
    {
        (_trained, _schedule, _checkpoints, _log, _monitor, _job) = (trained, schedule, checkpoints, log, monitor, job);
        (Checkpoint, First) = (checkpoint, trained.Step);
    }

    /// <summary>Steps taken before this loop.</summary>
    internal long First { get; }

    /// <summary>The newest checkpoint; null when there is none yet.</summary>
    internal string? Checkpoint { get; private set; }

    /// <summary>The loss of the last step; null when this loop took none.</summary>
    internal double? Loss { get; private set; }

    /// <summary>Time of the steps, without what happened between calls.</summary>
    internal TimeSpan Elapsed => _clock.Elapsed;

    /// <summary>Takes steps until one is done; false when it was told to stop.</summary>
    /// <exception cref="InputException">Data is bad (what was learnt so far is saved), or training diverged.</exception>
    internal bool RunUntil(int target) => _monitor.Loop("step", (int)_trained.Step, _schedule.Steps, progress => RunUntil(target, progress));

    /// <summary>Saves the state of the step that was done last, unless that has been done. One process of a job writes, all call it.</summary>
    /// <exception cref="InputException">The file cannot be written (in a job of several processes they say so when they meet next).</exception>
    internal void Save()
    {
        int step = (int)_trained.Step;
        if (step > 0 && Checkpoint != _checkpoints.PathOf(step))
        {
            _trained.Verify();
            _job.Hold(() =>
            {
                if (_job.IsFirst)
                {
                    _monitor.Say($"checkpoint {_checkpoints.Save(step, _trained.Compose())}");
                }
            });
            Checkpoint = _checkpoints.PathOf(step);
        }
    }

    /// <summary>Says where a run stopped and how to go on.</summary>
    /// <param name="where">"step 5 of 10".</param>
    /// <param name="command">The command line that continues it.</param>
    internal void SayStopped(string where, string command)
    {
        string saved = _trained.Step == 0 ? "nothing to save yet" : $"saved as {Checkpoint}";
        _monitor.Say($"stopped after {where}; {saved}; to go on: {command}");
    }

    private bool RunUntil(int target, IProgress<ProgressStatus> progress)
    {
        long first = _trained.Step;
        var part = (Step: first, Time: _clock.Elapsed, _trained.Waited);
        _clock.Start();
        try
        {
            while (_trained.Step < target)
            {
                if (_job.MustStop)
                {
                    Save();
                    _job.Settle();
                    return false;
                }

                (double loss, double rate) = Advance();
                long step = _trained.Step;
                Loss = loss;
                progress.Report(new ProgressStatus((int)step, loss, rate, (step - first) * _schedule.Batch));
                if (step % _schedule.LogEvery == 0 || step == _schedule.Steps)
                {
                    var before = part;
                    _job.Hold(() => Log(loss, rate, step - before.Step, _clock.Elapsed - before.Time, _trained.Waited - before.Waited));
                    part = (step, _clock.Elapsed, _trained.Waited);
                }

                if (step % _schedule.CheckpointEvery == 0 || step == _schedule.CheckpointAt || step == _schedule.Steps)
                {
                    Save();
                }
            }

            _job.Settle();
            return true;
        }
        finally
        {
            _clock.Stop();
        }
    }

    private void Log(double loss, double rate, long steps, TimeSpan time, TimeSpan? waited)
    {
        double seconds = Math.Max(time.TotalSeconds, 1e-9);
        List<(string, double)> values = [("loss", loss), .. _trained.Parts, ("lr", rate), ("images_per_second", steps * _schedule.Batch / seconds)];
        if (waited is { } wait)
        {
            values.Add(("data_wait", wait.TotalSeconds / seconds));
        }

        _log?.Add(_trained.Step, [.. values]);
    }

    // A bad file of the data set stops the run, but the state is saved: repair the file and resume.
    private (double Loss, double LearningRate) Advance()
    {
        try
        {
            return _trained.Advance();
        }
        catch (InputException e) when (!_trained.HasDiverged && (_job.IsAlone || e.IsAgreed))
        {
            Save();
            throw;
        }
    }
}
