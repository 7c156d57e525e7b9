using System.Runtime.ExceptionServices;

namespace Ldvc.Lab.Ablation;

/// <summary>Several workers at once, each on a thread of its own.</summary>
internal static class Jobs
{
    /// <summary>Runs them all and waits. When one fails the others are told to stop, as by Ctrl-C, and what it threw is thrown.</summary>
    /// <param name="count">How many; a single one runs on the caller's thread.</param>
    /// <param name="work">The worker, by number. The token that several workers get is also set when one of them fails.</param>
    /// <param name="cancellation">Set by Ctrl-C.</param>
    /// <exception cref="OperationCanceledException">Ctrl-C came, and a worker says so.</exception>
    internal static void Run(int count, Action<int, CancellationToken> work, CancellationToken cancellation)
    {
        if (count == 1)
        {
            work(0, cancellation);
            return;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var errors = new Exception?[count];
        Thread[] threads = [.. Enumerable.Range(0, count).Select(i => new Thread(() => errors[i] = Caught(i)) { Name = $"ldvc job {i}" })];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        // The reason before its consequences.
        if ((errors.FirstOrDefault(e => e is not null and not OperationCanceledException) ?? errors.FirstOrDefault(e => e is not null)) is { } error)
        {
            ExceptionDispatchInfo.Throw(error);
        }

        Exception? Caught(int i)
        {
            try
            {
                work(i, stop.Token);
                return null;
            }
            catch (Exception e)
            {
                stop.Cancel();
                return e;
            }
        }
    }
}
