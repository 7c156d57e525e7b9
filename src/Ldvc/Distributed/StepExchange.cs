using Ldvc.Tensors;

namespace Ldvc.Distributed;

/// <summary>
/// What the processes of a job tell each other in a training step, besides gradients: before a backward how many pairs of picture and class their
/// labels have (n of method.md 7), whether one was told to stop, whether one has failed; after the last one the losses. Each is one small sum.
/// </summary>
/// <param name="job">The job.</param>
internal sealed class StepExchange(JobMember job)
{
    /// <summary>
    /// Runs a forward, and says by how much its loss counts: the loss of the whole batch is the sum over the processes of loss times share.
    /// </summary>
    /// <param name="forward">Computes, and returns the pairs of picture and class in this process's labels.</param>
    /// <returns>max(1, pairs here) / max(1, pairs of all); 1 for a process alone.</returns>
    /// <exception cref="InputException">A process has failed, this one or another.</exception>
    internal double Share(Func<int> forward)
    {
        int pairs = 0;
        job.Hold(() => pairs = forward());
        Span<double> sums = [pairs, job.HasFailed ? 1 : 0, job.Cancellation.IsCancellationRequested ? 1 : 0];
        job.Group.Sum(sums);
        if (sums[1] > 0)
        {
            throw job.Failure();
        }

        if (sums[2] > 0)
        {
            job.AgreeToStop();
        }

        return Math.Max(1, pairs) / Math.Max(1, sums[0]);
    }

    /// <summary>Adds the losses of a step over the processes.</summary>
    /// <param name="losses">Each already times its share.</param>
    /// <param name="bad">What is wrong with this process's numbers; null for nothing.</param>
    /// <param name="diverged">Whether the weights are no good; then, whether one of the processes says so.</param>
    /// <returns>The same in all processes: what is wrong in the first in which something is, or null.</returns>
    internal string? AddLosses(ref (double Total, double Focal, double Dice) losses, string? bad, ref bool diverged)
    {
        Span<double> sums = [losses.Total, losses.Focal, losses.Dice, bad is null ? 0 : 1, diverged ? 1 : 0];
        job.Group.Sum(sums);
        losses = (sums[0], sums[1], sums[2]);
        diverged = sums[4] > 0;
        return sums[3] > 0 ? job.FirstOf(bad) : null;
    }
}
