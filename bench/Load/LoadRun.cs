using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json;
using Ldvc.Imaging.Writing;
using Ldvc.Lab.Synthetic;

namespace Ldvc.Bench.Load;

/// <summary>Sends the requests of a plan and keeps what came of them.</summary>
internal sealed class LoadRun : IDisposable
{
    private const int Pictures = 8;
    private const string Names = "red circle\ngreen square\nblue triangle\nstar; five-pointed star\nring";

    private readonly ServerProcess _server;
    private readonly LoadPlan _plan;
    private readonly HttpClient _client;
    private readonly HostileClient _hostile;
    private readonly byte[][] _pictures;
    private readonly string?[] _labels = new string?[Pictures];
    private readonly LoadResult _result = new();
    private readonly Lock _lock = new();
    private readonly List<double> _window = [], _memory = [];
    private readonly ConcurrentBag<Task> _lingering = [];
    private int _done;

    /// <summary>Prepares pictures.</summary>
    internal LoadRun(ServerProcess server, LoadPlan plan)
    {
        (_server, _plan) = (server, plan);
        _client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = plan.AtOnce })
        {
            BaseAddress =
            new Uri($"http://localhost:{server.Port}/"),
            Timeout = TimeSpan.FromMinutes(5)
        };
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server.Token);
        _hostile = new HostileClient(server.Port, server.Token);
        var scenes = new SceneDataset("val", Pictures);
        _pictures = [.. Enumerable.Range(0, Pictures).Select(i => ImageWriter.EncodePng(scenes.Read(i).Image))];
    }

    /// <summary>Sends all requests.</summary>
    /// <param name="report">Gets each tenth.</param>
    /// <param name="cancellation">Ends it.</param>
    internal async Task<LoadResult> RunAsync(Action<LoadWindow> report, CancellationToken cancellation)
    {
        // What each picture's labels are when nobody else asks.
        for (int i = 0; i < Pictures; i++)
        {
            (_, _labels[i]) = await PostAsync(i, cancellation).ConfigureAwait(false);
        }

        bool[] order = _plan.Order();
        var clock = Stopwatch.StartNew();
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task watch = WatchMemoryAsync(watching.Token);
        await Parallel.ForAsync(
            0, _plan.Requests, new ParallelOptions { MaxDegreeOfParallelism = _plan.AtOnce, CancellationToken = cancellation }, async (i, stop) =>
        {
            if (order[i])
            {
                await HostileAsync(i, stop).ConfigureAwait(false);
            }
            else
            {
                await GoodAsync(i, stop).ConfigureAwait(false);
            }

            Count(report);
        }).ConfigureAwait(false);
        await watching.CancelAsync().ConfigureAwait(false);
        await watch.ConfigureAwait(false);
        await Task.WhenAll(_lingering).ConfigureAwait(false);
        _result.Seconds = clock.Elapsed.TotalSeconds;
        return _result;
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task GoodAsync(int index, CancellationToken cancellation)
    {
        int picture = index % Pictures;
        long started = Stopwatch.GetTimestamp();
        string outcome;
        bool right = false;
        try
        {
            (int status, string? labels) = await PostAsync(picture, cancellation).ConfigureAwait(false);
            right = status == 200 && labels == _labels[picture];
            outcome = status == 200 && !right ? "200, other labels" : $"{status}";
        }
        catch (HttpRequestException e)
        {
            outcome = $"no answer ({e.HttpRequestError})";
        }

        double milliseconds = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        lock (_lock)
        {
            _result.Good++;
            _result.Answered += right ? 1 : 0;
            _result.Times.Add(milliseconds);
            _window.Add(milliseconds);
            Add("good", outcome);
            if (!right)
            {
                _result.Surprises.Add($"request {index}: {outcome}");
            }
        }
    }

    // What only holds a connection goes on beside the others, so that these are still as many.
    private async Task HostileAsync(int index, CancellationToken cancellation)
    {
        HostileKind kind = HostileKind.All[index % HostileKind.All.Length];
        Task<string> sent = _hostile.SendAsync(kind, cancellation);
        Task kept = sent.ContinueWith(
            task => Keep(kind, index, task.IsCompletedSuccessfully ? task.Result : task.Exception?.InnerException?.Message ?? "?"),
            TaskScheduler.Default);
        if (kind.Lingers)
        {
            _lingering.Add(kept);
        }
        else
        {
            await kept.ConfigureAwait(false);
        }
    }

    private void Keep(HostileKind kind, int index, string outcome)
    {
        lock (_lock)
        {
            _result.Hostile++;
            Add(kind.Name, outcome);
            if (!kind.Expected.Contains(outcome))
            {
                _result.Surprises.Add($"request {index}, {kind.Name}: {outcome}, expected {string.Join(" or ", kind.Expected)}");
            }
        }
    }

    private void Add(string kind, string outcome) => _result.Outcomes[(kind, outcome)] = _result.Outcomes.GetValueOrDefault((kind, outcome)) + 1;

    private void Count(Action<LoadWindow> report)
    {
        lock (_lock)
        {
            if (++_done % _plan.Window == 0)
            {
                _memory.Add(_server.ResidentMebibytes);
                var window = new LoadWindow(
                    _done, LoadResult.Quantile(_window, 0.5), LoadResult.Quantile(_window, 0.99), LoadResult.Quantile(_memory, 0.5), _memory.Max());
                _window.Clear();
                _memory.Clear();
                _result.Windows.Add(window);
                report(window);
            }
        }
    }

    private async Task WatchMemoryAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(0.5));
        try
        {
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false))
            {
                lock (_lock)
                {
                    _memory.Add(_server.ResidentMebibytes);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The last request is answered, or the run is stopped.
        }
    }

    private async Task<(int Status, string? Labels)> PostAsync(int picture, CancellationToken cancellation)
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(_pictures[picture]), "image", "scene.png" },
            { new StringContent(Names), "classes" } };
        using HttpResponseMessage answer = await _client.PostAsync(
            new Uri("api/segment", UriKind.Relative), form, cancellation).ConfigureAwait(false);
        byte[] json = await answer.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
        return ((int)answer.StatusCode, answer.IsSuccessStatusCode ? JsonDocument.Parse(json).RootElement.GetProperty("labels").GetString() : null);
    }
}
