using System.Diagnostics.CodeAnalysis;

namespace Ldvc.Tensors.Distributed;

/// <summary>The group of a program that is one process: everything is its own sum, and nothing is sent.</summary>
internal sealed class SingleProcessGroup : IProcessGroup, IPendingSum
{
    private SingleProcessGroup()
    {
    }

    /// <summary>The group; it has no state.</summary>
    internal static SingleProcessGroup Instance { get; } = new();

    public int Rank => 0;

    public int Size => 1;

    public int LocalRank => 0;

    public int LocalSize => 1;

    public string Description => "1 process";

    public TimeSpan TimeInCommunication => TimeSpan.Zero;

    public void Sum(Span<float> values)
    {
    }

    public void Sum(Span<double> values)
    {
    }

    public void Sum(Span<long> values)
    {
    }

    public void Max(Span<double> values)
    {
    }

    public void Max(Span<long> values)
    {
    }

    public void Broadcast(Span<byte> data, int root) => GroupChecks.Root(root, 1);

    public byte[][]? Gather(ReadOnlySpan<byte> data, int root)
    {
        GroupChecks.Root(root, 1);
        return [data.ToArray()];
    }

    public byte[][] AllGather(ReadOnlySpan<byte> data) => [data.ToArray()];

    public void Barrier()
    {
    }

    public IPendingSum BeginSum(Memory<float> values) => this;

    public IPendingSum BeginSum(Tensor values)
    {
        GroupChecks.Summable(values);
        return this;
    }

    public void Use(Device device)
    {
    }

    [DoesNotReturn]
    public void Abort(int exitCode, string? sentence) => Environment.Exit(exitCode);

    public void Wait()
    {
    }

    public void Dispose()
    {
    }
}
