namespace Ldvc.Tensors.Distributed.Nccl;

/// <summary>
/// A second stream on a card, in the card's primary context, beside the stream that computes. NCCL works in primary contexts, ILGPU in one of its
/// own. So values are copied to a buffer of this side and back, on the card; events of the driver order the two streams, and the host waits for
/// neither.
/// </summary>
internal sealed class CudaSide : IDisposable
{
    private readonly CudaDriver _driver;
    private readonly CudaCard _card;
    private readonly nint _context;
    private readonly List<Place> _free = [];
    private readonly List<Place> _all = [];

    internal CudaSide(CudaDriver driver, CudaCard card)
    {
        (_driver, _card) = (driver, card);
        _context = driver.RetainPrimary(card.Ordinal);
        Stream = Within(driver.NewStream);
    }

    /// <summary>The stream.</summary>
    internal nint Stream { get; }

    /// <summary>
    /// Queues: what the computation has made of the values so far is copied here, worked on, and copied back. Returns at once; <see cref="Join"/>
    /// makes the computation wait.
    /// </summary>
    /// <param name="values">Where they lie in the computation's context.</param>
    /// <param name="bytes">Their size.</param>
    /// <param name="work">Queues the work on <see cref="Stream"/>, of the copy that it is given.</param>
    internal Place Run(nint values, long bytes, Action<nint> work)
    {
        using IDisposable queueing = _card.Queueing();
        Place place = Take(bytes);
        _driver.Record(place.Ready, _card.Stream);
        Within(() =>
        {
            _driver.MakeWait(Stream, place.Ready);
            _driver.Copy(place.Memory, _context, values, _card.Context, bytes, Stream);
            work(place.Memory);
            _driver.Copy(values, _card.Context, place.Memory, _context, bytes, Stream);
            _driver.Record(place.Done, Stream);
            return 0;
        });
        return place;
    }

    /// <summary>What the computation queues from now on waits for the work.</summary>
    internal void Join(Place place)
    {
        using IDisposable queueing = _card.Queueing();
        _driver.MakeWait(_card.Stream, place.Done);
        _free.Add(place);
    }

    /// <summary>Runs calls with this side's context as the thread's current one.</summary>
    internal T Within<T>(Func<T> calls)
    {
        _driver.Push(_context);
        try
        {
            return calls();
        }
        finally
        {
            _driver.Pop();
        }
    }

    /// <summary>Ends it; what is queued is waited for.</summary>
    public void Dispose()
    {
        Within(() =>
        {
            _driver.Synchronize(Stream);
            foreach (Place place in _all)
            {
                _driver.FreeEvent(place.Done);
                _driver.Free(place.Memory);
            }

            _driver.FreeStream(Stream);
            return 0;
        });
        _driver.ReleasePrimary(_card.Ordinal);
    }

    // The smallest buffer that is large enough; buckets have few sizes, so after the first step none is made.
    private Place Take(long bytes)
    {
        if (_free.Where(place => place.Bytes >= bytes).MinBy(place => place.Bytes) is { } found)
        {
            _free.Remove(found);
            return found;
        }

        nint memory = Within(() => _driver.Allocate(bytes));
        if (memory == 0)
        {
            throw new InputException($"{_card.Name}: out of memory for {bytes / (1024.0 * 1024.0):0.##} MiB of gradients to be summed with NCCL; a "
                + "smaller batch may fit, --dist mpi sums on the host.");
        }

        var place = new Place(memory, bytes, _driver.NewEvent(), Within(_driver.NewEvent));
        _all.Add(place);
        return place;
    }

    /// <summary>A buffer with the events of one piece of work at a time.</summary>
    /// <param name="Memory">The buffer, of this side's context.</param>
    /// <param name="Bytes">Its size.</param>
    /// <param name="Ready">The computation has made the values; of the computation's context, which takes it along when it ends.</param>
    /// <param name="Done">The values are back.</param>
    internal sealed record Place(nint Memory, long Bytes, nint Ready, nint Done);
}
