using System.Collections.Concurrent;
using System.Diagnostics;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Inference;

/// <summary>What became of a picture.</summary>
/// <param name="Source">The picture.</param>
/// <param name="Result">Its labels; null when it failed.</param>
/// <param name="Failure">Why it failed; null when it did not.</param>
/// <param name="Seconds">Time of its computation.</param>
internal sealed record SegmentOutcome(PictureSource Source, SegmentResult? Result, InputException? Failure, double Seconds);

/// <summary>
/// Pictures through a segmenter: the next ones are read and the last ones written while one is computed. Small pictures are computed together, so
/// that their windows share batches.
/// </summary>
internal sealed class SegmentPipeline
{
    // Pictures in memory before and after the computation, besides those in it.
    private const int Ahead = 3;
    private const long PixelsAtOnce = 1L << 22;

    // Scores of all classes that wait to be written, in floats: half a gigabyte, besides those of one picture.
    private const long ScoresAtOnce = 1L << 27;
    private readonly Room _room = new(ScoresAtOnce);

    /// <summary>Computes with it.</summary>
    public required Segmenter Segmenter { get; init; }

    /// <summary>Where results go.</summary>
    public required SegmentFiles Files { get; init; }

    /// <summary>Pixels whose best probability lies below this get no class; null = every pixel gets one.</summary>
    public double? Background { get; init; }

    /// <summary>Whether the scores of all classes are written.</summary>
    public bool Scores { get; init; }

    /// <summary>Pictures computed together at most.</summary>
    public int Together { get; init; } = 1;

    /// <summary>Told the windows done and in all of what is computed now.</summary>
    public Action<int, int>? WindowsDone { get; init; }

    /// <summary>Labels pictures and writes their results. A picture that cannot be read, or labelled, costs nobody else.</summary>
    /// <param name="pictures">The pictures.</param>
    /// <param name="done">Told of every picture, in their order, once its files are written; from one thread at a time.</param>
    /// <param name="cancellation">Checked before each computation; what was computed before is written.</param>
    /// <exception cref="InputException">A result cannot be written.</exception>
    /// <exception cref="OperationCanceledException">Told to stop.</exception>
    public void Run(IReadOnlyList<PictureSource> pictures, Action<SegmentOutcome> done, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var read = new BlockingCollection<(int Index, RgbImage? Picture, InputException? Failure)>(Ahead);
        using var computed = new BlockingCollection<(int Index, SegmentOutcome Outcome, float[]? Scores)>(Ahead);
        Task reader = Task.Run(() => Read(pictures, read, stop.Token), CancellationToken.None);
        var order = new InOrder<SegmentOutcome>(done);
        Task[] writers = [.. Enumerable.Range(0, Math.Clamp(Environment.ProcessorCount, 1, 4))
            .Select(_ => Task.Run(() => Write(computed, order, stop), CancellationToken.None))];
        try
        {
            Compute(pictures, read, computed, stop.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // A writer failed and says why below.
        }
        finally
        {
            computed.CompleteAdding();
            stop.Cancel();
            WaitFor([reader, .. writers]);
        }

        cancellation.ThrowIfCancellationRequested();
    }

    private static void Read(
        IReadOnlyList<PictureSource> pictures,
        BlockingCollection<(int Index, RgbImage? Picture, InputException? Failure)> read,
        CancellationToken stop)
    {
        try
        {
            for (int i = 0; i < pictures.Count; i++)
            {
                stop.ThrowIfCancellationRequested();
                RgbImage? picture = null;
                InputException? failure = null;
                try
                {
                    picture = ImageReader.Read(pictures[i].Path);
                }
                catch (InputException e)
                {
                    failure = e;
                }

                read.Add((i, picture, failure), stop);
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody waits for more.
        }
        finally
        {
            read.CompleteAdding();
        }
    }

    private void Compute(
        IReadOnlyList<PictureSource> pictures,
        BlockingCollection<(int Index, RgbImage? Picture, InputException? Failure)> read,
        BlockingCollection<(int Index, SegmentOutcome Outcome, float[]? Scores)> computed,
        CancellationToken stop)
    {
        var group = new List<(int Index, RgbImage Picture)>();
        while (read.TryTake(out var next, Timeout.Infinite, stop))
        {
            do
            {
                if (next.Failure is { } failure)
                {
                    computed.Add((next.Index, new SegmentOutcome(pictures[next.Index], null, failure, 0), null), stop);
                }
                else
                {
                    group.Add((next.Index, next.Picture!));
                }
            }
            while (group.Count < (Scores ? 1 : Together)
                && group.Sum(p => (long)p.Picture.Width * p.Picture.Height) < PixelsAtOnce && read.TryTake(out next));

            if (group.Count == 0)
            {
                continue;
            }

            stop.ThrowIfCancellationRequested();
            Label(group, pictures, computed, stop);
            group.Clear();
        }
    }

    // Pictures that share batches share their fate only as long as all of them can be labelled: otherwise each is tried alone.
    private void Label(
        List<(int Index, RgbImage Picture)> group,
        IReadOnlyList<PictureSource> pictures,
        BlockingCollection<(int Index, SegmentOutcome Outcome, float[]? Scores)> computed,
        CancellationToken stop)
    {
        if (Scores)
        {
            _room.Take(group.Sum(p => Segmenter.ScoresOf(p.Picture)), stop);
        }

        long started = Stopwatch.GetTimestamp();
        (SegmentResult Result, float[]? Scores)[] results;
        try
        {
            results = Segmenter.LabelAll([.. group.Select(p => (p.Picture, pictures[p.Index].Path))], Background, Scores, WindowsDone);
        }
        catch (InputException e) when (group.Count == 1)
        {
            var (index, picture) = group[0];
            _room.Give(Scores ? Segmenter.ScoresOf(picture) : 0);
            var failure = new InputException($"{pictures[index].Path}: {e.Message}", e);
            computed.Add((index, new SegmentOutcome(pictures[index], null, failure, 0), null), stop);
            return;
        }
        catch (InputException)
        {
            foreach (var one in group)
            {
                Label([one], pictures, computed, stop);
            }

            return;
        }

        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds / group.Count;
        for (int i = 0; i < results.Length; i++)
        {
            int index = group[i].Index;
            computed.Add((index, new SegmentOutcome(pictures[index], results[i].Result, null, seconds), results[i].Scores), stop);
        }
    }

    private void Write(
        BlockingCollection<(int Index, SegmentOutcome Outcome, float[]? Scores)> computed,
        InOrder<SegmentOutcome> order,
        CancellationTokenSource stop)
    {
        try
        {
            foreach (var (index, outcome, scores) in computed.GetConsumingEnumerable())
            {
                if (outcome.Result is { } result)
                {
                    Files.Write(result, outcome.Source.Name, scores);
                    _room.Give(scores?.LongLength ?? 0);
                }

                order.Add(index, outcome);
            }
        }
        catch
        {
            stop.Cancel();
            throw;
        }
    }

    private static void WaitFor(Task[] tasks)
    {
        try
        {
            Task.WaitAll(tasks);
        }
        catch (AggregateException e)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.Flatten().InnerExceptions[0]);
        }
    }

    // Hands on what is finished in the order in which it began.
    private sealed class InOrder<T>(Action<T> next)
    {
        private readonly Dictionary<int, T> _waiting = [];
        private int _next;

        internal void Add(int index, T item)
        {
            lock (_waiting)
            {
                _waiting.Add(index, item);
                while (_waiting.Remove(_next, out T? ready))
                {
                    _next++;
                    next(ready);
                }
            }
        }
    }
}
