using System.Diagnostics.CodeAnalysis;

namespace Ldvc.Tensors.Distributed.Nccl;

/// <summary>
/// A group in which sums of tensors on CUDA devices go from card to card through NCCL; everything else is the inner group's. Which cards there are is
/// known once the processes have opened their devices (<see cref="Use"/>).
/// </summary>
internal sealed class NcclProcessGroup : IProcessGroup
{
    private readonly IProcessGroup _inner;
    private readonly bool _required;
    private readonly NcclParts _parts;
    private NcclLibrary? _nccl;
    private CudaCard? _card;
    private CudaSide? _side;
    private Device? _device;
    private nint _communicator;

    /// <summary>Puts NCCL before a group.</summary>
    /// <param name="inner">The group; disposed of with this one.</param>
    /// <param name="required">Whether a process without a CUDA device or without NCCL is an error; if not, its tensors go through the inner
    /// group.</param>
    /// <param name="parts">Where cards and libraries are found.</param>
    internal NcclProcessGroup(IProcessGroup inner, bool required, NcclParts parts) => (_inner, _required, _parts) = (inner, required, parts);

    public int Rank => _inner.Rank;

    public int Size => _inner.Size;

    public int LocalRank => _inner.LocalRank;

    public int LocalSize => _inner.LocalSize;

    public string Description => _side is null ? _inner.Description : $"{_inner.Description}, {_nccl!.Version}";

    public TimeSpan TimeInCommunication => _inner.TimeInCommunication;

    public void Sum(Span<float> values) => _inner.Sum(values);

    public void Sum(Span<double> values) => _inner.Sum(values);

    public void Sum(Span<long> values) => _inner.Sum(values);

    public void Max(Span<double> values) => _inner.Max(values);

    public void Max(Span<long> values) => _inner.Max(values);

    public void Broadcast(Span<byte> data, int root) => _inner.Broadcast(data, root);

    public byte[][]? Gather(ReadOnlySpan<byte> data, int root) => _inner.Gather(data, root);

    public byte[][] AllGather(ReadOnlySpan<byte> data) => _inner.AllGather(data);

    public void Barrier() => _inner.Barrier();

    public IPendingSum BeginSum(Memory<float> values) => _inner.BeginSum(values);

    public IPendingSum BeginSum(Tensor values)
    {
        GroupChecks.Summable(values);
        if (_side is not { } side || values.Device != _device)
        {
            return _inner.BeginSum(values);
        }

        Tensor held = values.Share();
        int type = NcclLibrary.TypeOf(held.DType);
        CudaSide.Place place = side.Run(
            _card!.Address(held),
            held.Count * held.DType.Size(),
            copy => _nccl!.Sum(copy, held.Count, type, _communicator, side.Stream, Rank));
        return new PendingSum(() =>
        {
            side.Join(place);
            _nccl!.CheckLater(_communicator, Rank);
            held.Dispose();
        });
    }

    public void Use(Device device)
    {
        if (_side is not null)
        {
            throw new InvalidOperationException("use of a device: expected one device, got a second one");
        }

        string? why = Find(device);
        if (_required && why is not null)
        {
            throw new InputException($"--dist nccl: {why}.");
        }

        // All or none: a process without would leave the others waiting.
        Span<long> lacking = [why is null ? 0 : 1];
        _inner.Sum(lacking);
        if (lacking[0] > 0)
        {
            return;
        }

        int? other = CudaCard.SharedWith(_inner, _card!.Name);
        Span<long> shared = [other is null ? 0 : 1];
        _inner.Sum(shared);
        if (shared[0] > 0)
        {
            // A card that was named for all may be shared; NCCL cannot.
            if (_required && other is not null)
            {
                throw new InputException(
                    $"--dist nccl: rank {Rank} and rank {other} use the same card, {_card.Name}; start one process for each card.");
            }

            return;
        }

        Join(device);
    }

    [DoesNotReturn]
    public void Abort(int exitCode, string? sentence) => _inner.Abort(exitCode, sentence);

    public void Dispose()
    {
        if (_side is { } side)
        {
            side.Within(() =>
            {
                _nccl!.Leave(_communicator, Rank);
                return 0;
            });
            side.Dispose();
        }

        _side = null;
        _inner.Dispose();
    }

    private string? Find(Device device)
    {
        _card = _parts.Card(device);
        if (_card is null)
        {
            return $"expected --device cuda, found {device.Name}";
        }

        _nccl = NcclLibrary.TryLoad(_parts.NcclFiles, out string why);
        return _nccl is null ? $"{why} was found; NCCL comes with NVIDIA's packages (libnccl2), or name it in {NcclLibrary.Variable}" : null;
    }

    private void Join(Device device)
    {
        NcclUniqueId id = Rank == 0 ? _nccl!.NewId(Rank) : default;
        _inner.Broadcast(NcclUniqueId.Of(ref id), 0);
        using IDisposable queueing = _card!.Queueing();
        var side = new CudaSide(CudaDriver.Load(_parts.CudaFiles), _card);
        _communicator = side.Within(() => _nccl!.Join(id, Rank, Size));
        (_side, _device) = (side, device);
    }
}
