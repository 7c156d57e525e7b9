namespace Ldvc.Tensors.Distributed;

/// <summary>A pending sum that is finished by an action, once.</summary>
internal sealed class PendingSum(Action finish) : IPendingSum
{
    private Action? _finish = finish;

    public void Wait() => Interlocked.Exchange(ref _finish, null)?.Invoke();
}
