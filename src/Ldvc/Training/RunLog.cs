using Ldvc.Tensors;

namespace Ldvc.Training;

/// <summary>What a run writes down while it goes: metrics.jsonl and TensorBoard events, with the same numbers under the same names.</summary>
internal sealed class RunLog : IDisposable
{
    private readonly MetricsLog _metrics;
    private readonly TensorBoardWriter _board;

    /// <summary>Opens both in a run's folder; what earlier parts of the run said about later steps is dropped.</summary>
    /// <exception cref="InputException">A file cannot be written.</exception>
    internal RunLog(RunFolder folder, long resumedStep)
    {
        _metrics = MetricsLog.Open(folder.MetricsPath, (int)resumedStep);
        try
        {
            _board = new TensorBoardWriter(folder.Root, (int)resumedStep);
        }
        catch
        {
            _metrics.Dispose();
            throw;
        }
    }

    /// <summary>Notes values of a step.</summary>
    internal void Add(long step, params ReadOnlySpan<(string Name, double Value)> values)
    {
        _metrics.Append((int)step, values);
        _board.Scalars((int)step, values);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _metrics.Dispose();
        _board.Dispose();
    }

    /// <summary>
    /// Says at once that Ctrl-C was received: a step on large pictures may take minutes. Lasts until the result is disposed of.
    /// </summary>
    internal static CancellationTokenRegistration NoticeInterrupts(IRunMonitor monitor, CancellationToken cancellation) =>
        cancellation.Register(() => monitor.Warn("stopping after this step (Ctrl-C again stops at once, without saving)."));
}
