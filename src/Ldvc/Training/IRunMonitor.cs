namespace Ldvc.Training;

/// <summary>One report of a running loop.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Loss">The loss of the last step; NaN when there is none to show.</param>
/// <param name="LearningRate">The learning rate of the last step; NaN when there is none to show.</param>
/// <param name="Images">Images handled so far in this process.</param>
public readonly record struct ProgressStatus(int Step, double Loss, double LearningRate, long Images);

/// <summary>
/// Who follows a run: it is told in lines of text what happens, and after every step how far a loop is. A program shows both on its console, a page
/// or nowhere (<see cref="SilentMonitor"/>). A run calls it from its own thread.
/// </summary>
public interface IRunMonitor
{
    /// <summary>A result, or something that happened; one line.</summary>
    void Say(string line);

    /// <summary>Something that went wrong and does not stop the run; one sentence.</summary>
    void Warn(string sentence);

    /// <summary>Runs a loop whose progress is followed.</summary>
    /// <param name="title">What is counted, e.g. "step" or "image".</param>
    /// <param name="first">Steps done before (a resumed run).</param>
    /// <param name="total">Steps in all.</param>
    /// <param name="loop">The loop; it reports after every step.</param>
    T Loop<T>(string title, int first, int total, Func<IProgress<ProgressStatus>, T> loop);
}

/// <summary>Follows a run without a word.</summary>
public sealed class SilentMonitor : IRunMonitor, IProgress<ProgressStatus>
{
    private SilentMonitor()
    {
    }

    /// <summary>The one there is.</summary>
    public static SilentMonitor Instance { get; } = new();

    /// <inheritdoc/>
    public void Say(string line)
    {
    }

    /// <inheritdoc/>
    public void Warn(string sentence)
    {
    }

    /// <inheritdoc/>
    public T Loop<T>(string title, int first, int total, Func<IProgress<ProgressStatus>, T> loop) => loop(this);

    /// <inheritdoc/>
    public void Report(ProgressStatus value)
    {
    }
}
