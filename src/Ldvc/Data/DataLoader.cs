using System.Diagnostics;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// Endless training batches, made ahead by own threads. What a batch holds depends on (seed, iteration, rank) alone: not on the number of workers,
/// the prefetch depth, or where the run was resumed. Next is for one consumer thread.
/// </summary>
internal sealed class DataLoader : IDisposable
{
    private readonly SegmentationDataset _dataset;
    private readonly Augmentation _augmentation;
    private readonly LabelMapping _mapping;
    private readonly DataLoaderOptions _options;
    private readonly SampleOrder _order;
    private readonly Thread[] _threads;

    // Guarded by _gate: everything below. Waiters are woken together, whatever changed.
    private readonly object _gate = new();
    private readonly Dictionary<long, DataBatch> _building = [];
    private readonly Stack<DataBatch> _free = new();
    private long _claimed;
    private long _next;
    private bool _disposed;
    private OutOfMemoryException? _noMemory;

    /// <summary>Starts the workers.</summary>
    /// <exception cref="InputException">An option is out of its range.</exception>
    public DataLoader(SegmentationDataset dataset, Augmentation augmentation, LabelMapping mapping, DataLoaderOptions options)
    {
        options.Validate();
        CheckBatch(options.BatchSize, augmentation.Size);
        _dataset = dataset;
        _augmentation = augmentation;
        _mapping = mapping;
        _options = options;
        _order = new SampleOrder(options.Seed, dataset.Count);
        _next = options.StartIteration;
        _claimed = checked(options.StartIteration * options.BatchSize);
        _threads = new Thread[options.Workers];
        for (int i = 0; i < _threads.Length; i++)
        {
            _threads[i] = new Thread(Work) { IsBackground = true, Name = $"data {i}" };
            _threads[i].Start();
        }
    }

    /// <summary>Refuses batches that no buffer can hold.</summary>
    /// <exception cref="InputException">It is one.</exception>
    internal static void CheckBatch(int pictures, int size)
    {
        if (3L * pictures * size * size > Array.MaxLength)
        {
            throw new InputException($"data loader: a batch of {pictures} pictures of {size}x{size} is too large for one buffer");
        }
    }

    /// <summary>Time Next has spent waiting for data.</summary>
    public TimeSpan Waited { get; private set; }

    /// <summary>The workers, for tests.</summary>
    internal IReadOnlyList<Thread> Threads => _threads;

    /// <summary>The next iteration's batch; dispose it to give its buffers back.</summary>
    /// <exception cref="InputException">A file of the batch is bad; its message is passed on. Asking again gives the same error.</exception>
    /// <exception cref="ObjectDisposedException">The loader was disposed.</exception>
    public DataBatch Next()
    {
        long started = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            DataBatch? batch;
            while (!_disposed && !(_building.TryGetValue(_next, out batch) && batch.Remaining == 0) && _noMemory is null)
            {
                Monitor.Wait(_gate);
            }

            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_noMemory is not null)
            {
                throw new InputException($"data loader: there is no memory for {_options.Prefetch + 1} batches of {_options.BatchSize} pictures; try "
                    + "a smaller train.batch, or train.accumulate", _noMemory);
            }

            Waited += Stopwatch.GetElapsedTime(started);
            batch = _building[_next];
            if (batch.Error is InputException input)
            {
                throw new InputException(input.Message, input);
            }

            if (batch.Error is OutOfMemoryException memory)
            {
                throw new InputException(
                    $"data loader: there is no memory to read picture '{batch.Ids[batch.ErrorSlot]}' of {_dataset.Name}; fewer data.workers or a "
                        + "smaller train.batch need less", memory);
            }

            if (batch.Error is { } error)
            {
                throw new InvalidOperationException($"data loader, sample '{batch.Ids[batch.ErrorSlot]}': {error.Message}", error);
            }

            batch.IsLent = true;
            _building.Remove(_next++);
            Monitor.PulseAll(_gate);
            return batch;
        }
    }

    /// <summary>Ends the threads; a sample being made is finished first.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            Monitor.PulseAll(_gate);
        }

        foreach (var thread in _threads)
        {
            thread.Join();
        }
    }

    /// <summary>Takes a batch's buffers back.</summary>
    internal void Recycle(DataBatch batch)
    {
        lock (_gate)
        {
            // Only what the consumer holds comes back, once, and no more is kept than can be in use.
            if (batch.IsLent && !_disposed && _free.Count <= _options.Prefetch)
            {
                _free.Push(batch);
            }

            batch.IsLent = false;
        }
    }

    private void Work()
    {
        while (Claim() is var (batch, slot, index, sample) && batch is not null)
        {
            Exception? error = null;
            try
            {
                Fill(batch, slot, index, sample);
            }
#pragma warning disable CA1031 // Whatever went wrong belongs to the consumer's thread.
            catch (Exception e)
#pragma warning restore CA1031
            {
                error = e;
            }

            lock (_gate)
            {
                if (error is not null && (batch.Error is null || slot < batch.ErrorSlot))
                {
                    batch.Error = error;
                    batch.ErrorSlot = slot;
                }

                if (--batch.Remaining == 0)
                {
                    Monitor.PulseAll(_gate);
                }
            }
        }
    }

    // The next sample to make, in order, once its batch is within the prefetch depth; no batch when the loader ends.
    private (DataBatch? Batch, int Slot, int Index, long Sample) Claim()
    {
        lock (_gate)
        {
            while (!_disposed && _noMemory is null && _claimed / _options.BatchSize >= _next + _options.Prefetch)
            {
                Monitor.Wait(_gate);
            }

            if (_disposed || _noMemory is not null)
            {
                return default;
            }

            long iteration = _claimed / _options.BatchSize;
            int slot = (int)(_claimed % _options.BatchSize);
            _claimed++;
            if (slot == 0)
            {
                if (FreshBatch() is not { } fresh)
                {
                    return default;
                }

                fresh.Iteration = iteration;
                fresh.Remaining = _options.BatchSize;
                fresh.Error = null;
                _building.Add(iteration, fresh);
            }

            var batch = _building[iteration];
            long sample = (((iteration * _options.Ranks) + _options.Rank) * _options.BatchSize) + slot;
            int index = _order[sample];
            batch.Ids[slot] = _dataset.GetId(index);
            return (batch, slot, index, sample);
        }
    }

    // Null when there is no memory for one, which the consumer is told; an exception on a worker's thread would end the process.
    private DataBatch? FreshBatch()
    {
        try
        {
            return _free.Count > 0 ? _free.Pop() : new DataBatch(this, _options.BatchSize, _augmentation.Size, _mapping);
        }
        catch (OutOfMemoryException e)
        {
            _noMemory = e;
            Monitor.PulseAll(_gate);
            return null;
        }
    }

    private void Fill(DataBatch batch, int slot, int index, long sample)
    {
        var (image, labels) = DatasetCheck.Read(_dataset, index);
        try
        {
            Fill(batch, slot, sample, image, labels);
        }
        catch (InputException e)
        {
            throw new InputException($"{_dataset.Name}: picture '{batch.Ids[slot]}': {e.Message}", e);
        }
    }

    private void Fill(DataBatch batch, int slot, long sample, RgbImage image, LabelMap labels)
    {
        int plane = batch.Size * batch.Size;
        var pixels = batch.Images.AsSpan(slot * 3 * plane, 3 * plane);
        CounterRandom random = SampleOrder.Stream(_options.Seed, sample);
        if (batch.WideLabels is { } wide)
        {
            Span<int> wideTarget = wide.AsSpan(slot * plane, plane);
            _augmentation.Apply(image, labels, random, pixels, wideTarget);
            _mapping.Apply(wideTarget, batch.Unseen is { } mask ? mask.AsSpan(slot * plane, plane) : []);
            return;
        }

        var target = batch.Labels.AsSpan(slot * plane, plane);
        _augmentation.Apply(image, labels, random, pixels, target);
        if (batch.Unseen is { } unseen)
        {
            _mapping.Apply(target, target, unseen.AsSpan(slot * plane, plane));
        }
        else
        {
            _mapping.Apply(target, target);
        }
    }
}
