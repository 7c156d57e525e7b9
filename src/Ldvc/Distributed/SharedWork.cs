using Ldvc.Tensors;

namespace Ldvc.Distributed;

/// <summary>
/// Work of which every process does a part, as fast as it can, without meeting the others on the way: a second thread tells the others several times
/// a second whether this process was told to stop or has failed, and all stop soon after one has.
/// </summary>
internal static class SharedWork
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(50);

    /// <summary>Runs this process's part and returns when all have done theirs. Until then the work must not use the group itself.</summary>
    /// <param name="job">The job.</param>
    /// <param name="work">Does the part; its token is set when one of the processes was told to stop or has failed.</param>
    /// <exception cref="InputException">One of the processes failed.</exception>
    /// <exception cref="JobStoppedException">One of them was told to stop, and all have.</exception>
    internal static void Run(JobMember job, Action<CancellationToken> work)
    {
        if (job.IsAlone)
        {
            work(job.Cancellation);
            return;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(job.Cancellation);
        using var ended = new ManualResetEventSlim();
        Exception? lost = null;
        bool stopped = false, failed = false;
        var watch = new Thread(() =>
        {
            try
            {
                (stopped, failed) = Watch(job, ended, stop);
            }
#pragma warning disable CA1031 // The group is gone: the working thread says so.
            catch (Exception e)
#pragma warning restore CA1031
            {
                lost = e;
                stop.Cancel();
            }
        })
        { IsBackground = true, Name = "ldvc job" };
        watch.Start();
        try
        {
            job.Hold(() => work(stop.Token));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // All stop; the watch knows why.
        }

        // Whatever else was thrown goes its own way: this process ends the job, which ends the watch.
        ended.Set();
        watch.Join();
        if (lost is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(lost);
        }

        if (failed)
        {
            throw job.Failure();
        }

        if (stopped)
        {
            job.AgreeToStop();
            throw new JobStoppedException();
        }
    }

    private static (bool Stopped, bool Failed) Watch(JobMember job, ManualResetEventSlim ended, CancellationTokenSource stop)
    {
        bool stopped = false, failed = false;
        while (true)
        {
            // A part that has ended has failed by now, if it ever does.
            bool done = ended.Wait(Beat);
            Span<long> sums = [done ? 1 : 0, job.Cancellation.IsCancellationRequested ? 1 : 0, done && job.HasFailed ? 1 : 0];
            job.Group.Sum(sums);
            stopped |= sums[1] > 0;
            failed |= sums[2] > 0;
            if (stopped || failed)
            {
                stop.Cancel();
            }

            if (sums[0] == job.Group.Size)
            {
                return (stopped, failed);
            }
        }
    }
}
