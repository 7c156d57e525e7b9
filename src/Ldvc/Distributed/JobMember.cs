using System.Text;
using Ldvc.Tensors;
using Ldvc.Tensors.Distributed;

namespace Ldvc.Distributed;

/// <summary>
/// The job that a run belongs to, seen from one of its processes: who writes, whether all are to stop, and how one process's bad input becomes
/// everybody's. A program of one process is a job of one, in which nothing is sent and every exception goes its own way.
/// </summary>
/// <remarks>
/// Bad input in one process must not leave the others waiting for it. What a process does alone runs in <see cref="Hold"/>, which keeps the exception
/// until all processes meet, in <see cref="Settle"/> or in a sum of a training step; there every process throws the same sentence, with the rank in
/// it.
/// </remarks>
/// <param name="group">The processes.</param>
/// <param name="cores">Cores that this process may keep busy; 0 = those that it sees.</param>
/// <param name="cancellation">Set when this process was told to stop.</param>
internal sealed class JobMember(IProcessGroup group, int cores = 0, CancellationToken cancellation = default)
{
    private InputException? _held;
    private bool _stops;

    /// <summary>The processes.</summary>
    internal IProcessGroup Group => group;

    /// <summary>Set when this process was told to stop; the others may not know yet.</summary>
    internal CancellationToken Cancellation => cancellation;

    /// <summary>Cores that this process may keep busy.</summary>
    internal int Cores { get; } = cores > 0 ? cores : Environment.ProcessorCount;

    /// <summary>Whether this process is the only one.</summary>
    internal bool IsAlone => group.Size == 1;

    /// <summary>Whether this is the process that writes files and talks.</summary>
    internal bool IsFirst => group.Rank == 0;

    /// <summary>Whether all processes stop here: they have agreed on it since one was told to.</summary>
    internal bool MustStop => IsAlone ? cancellation.IsCancellationRequested : _stops;

    /// <summary>What this process failed with and the others do not know yet.</summary>
    internal bool HasFailed => _held is not null;

    /// <summary>A job of one process.</summary>
    internal static JobMember Alone(CancellationToken cancellation = default) => new(SingleProcessGroup.Instance, 0, cancellation);

    /// <summary>All processes know that one of them was told to stop.</summary>
    internal void AgreeToStop() => _stops = true;

    /// <summary>Does something that only this process does. Bad input is kept until the processes meet; one kept before stays.</summary>
    internal void Hold(Action work)
    {
        try
        {
            work();
        }
        catch (InputException e) when (!IsAlone && !e.IsAgreed)
        {
            _held ??= e;
        }
    }

    /// <summary>The processes meet; throws in all of them when one has failed.</summary>
    /// <exception cref="InputException">One has, and says why.</exception>
    internal void Settle()
    {
        if (IsAlone)
        {
            return;
        }

        Span<long> failed = [_held is null ? 0 : 1];
        group.Max(failed);
        if (failed[0] != 0)
        {
            throw Failure();
        }
    }

    /// <summary>Does something that every process does by itself, and goes on when all have.</summary>
    /// <exception cref="InputException">One of them failed.</exception>
    internal T Together<T>(Func<T> work)
    {
        T? result = default;
        Hold(() => result = work());
        try
        {
            Settle();
            return result!;
        }
        catch
        {
            (result as IDisposable)?.Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="Together{T}(Func{T})"/>
    internal void Together(Action work) => Together(() =>
    {
        work();
        return 0;
    });

    /// <summary>Does something that the first process does alone, and goes on when it has.</summary>
    /// <exception cref="InputException">It failed, or another process has before.</exception>
    internal void OnFirst(Action work)
    {
        if (IsFirst)
        {
            Hold(work);
        }

        Settle();
    }

    /// <summary>What the first process finds out, in all processes.</summary>
    /// <exception cref="InputException">It failed.</exception>
    internal string? FromFirst(Func<string?> work)
    {
        if (IsAlone)
        {
            return work();
        }

        string? found = null;
        if (IsFirst)
        {
            Hold(() => found = work());
        }

        Settle();
        byte[] all = group.AllGather(found is null ? [] : [1, .. Encoding.UTF8.GetBytes(found)])[0];
        return all.Length == 0 ? null : Encoding.UTF8.GetString(all.AsSpan(1));
    }

    /// <summary>Refuses a job whose processes have different values of what must be the same.</summary>
    /// <param name="facts">Names, the same in all processes in the same order, and values.</param>
    /// <exception cref="InputException">A process has another value than the first: the message names it.</exception>
    internal void RequireAlike(IReadOnlyList<(string Name, string Value)> facts)
    {
        if (IsAlone)
        {
            return;
        }

        byte[] mine = Encoding.UTF8.GetBytes(string.Join('\0', facts.Select(fact => $"{fact.Name}\0{fact.Value}")));
        byte[][] all = group.AllGather(mine);
        int rank = Array.FindIndex(all, other => !other.AsSpan().SequenceEqual(all[0]));
        if (rank < 0)
        {
            return;
        }

        string[] first = Encoding.UTF8.GetString(all[0]).Split('\0'), other = Encoding.UTF8.GetString(all[rank]).Split('\0');
        int at = Enumerable.Range(0, Math.Min(first.Length, other.Length)).FirstOrDefault(i => first[i] != other[i], -1);
        string difference = at > 0 && at % 2 == 1
            ? $"{first[at - 1]} is {other[at]}, but on rank 0 it is {first[at]}"
            : "its list of options is another one than on rank 0";
        throw Agreed($"rank {rank}: {difference}; expected the same on all {group.Size} processes.");
    }

    /// <summary>An exception that all processes throw at the same place.</summary>
    internal static InputException Agreed(string message) => new(message) { IsAgreed = true };

    /// <summary>Every process's failure, or null, becomes one sentence; all processes call it, and one has failed.</summary>
    internal InputException Failure()
    {
        string message = FirstOf(_held?.Message)!;
        _held = null;
        return Agreed(message);
    }

    /// <summary>The first of what the processes have to say, with its rank unless all say the same; null when none says anything.</summary>
    internal string? FirstOf(string? sentence)
    {
        byte[][] all = group.AllGather(sentence is null ? [] : [1, .. Encoding.UTF8.GetBytes(sentence)]);
        int rank = Array.FindIndex(all, said => said.Length > 0);
        if (rank < 0)
        {
            return null;
        }

        string first = Encoding.UTF8.GetString(all[rank].AsSpan(1));
        return Array.TrueForAll(all, said => said.AsSpan().SequenceEqual(all[rank])) ? first : $"rank {rank}: {first}";
    }
}
