using System.Runtime.ExceptionServices;
using Ldvc.Cli;

namespace Ldvc.Ablation;

/// <summary>Several workers at once, each on a thread of its own.</summary>
internal static class Jobs
{
    /// <summary>Runs them all and waits. When one fails the others are told to stop, as by Ctrl-C, and what it threw is thrown.</summary>
    /// <param name="count">How many; a single one runs on the caller's thread, in the caller's host.</param>
    /// <param name="host">Where to write. Several workers get one that nobody draws bars on, and whose token is also set when one of them fails.</param>
    /// <param name="work">The worker, by number.</param>
    /// <exception cref="OperationCanceledException">Ctrl-C came, and a worker says so.</exception>
    internal static void Run(int count, VerbHost host, Action<int, VerbHost> work)
    {
        if (count == 1)
        {
            work(0, host);
            return;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(host.Cancellation);
        VerbHost shared = host with { Interactive = false, Cancellation = stop.Token };
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
                work(i, shared);
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
