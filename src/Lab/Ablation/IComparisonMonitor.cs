using Ldvc.Training;

namespace Ldvc.Lab.Ablation;

/// <summary>Who follows a comparison, in which several runs may be computed at a time.</summary>
internal interface IComparisonMonitor : IRunMonitor
{
    /// <summary>Runs work whose loops run at the same time: their progress is shown side by side.</summary>
    /// <param name="work">The work; its loops use the monitor that it is given, from any thread.</param>
    void Together(Action<IComparisonMonitor> work);

    /// <summary>A monitor that puts a mark before everything it is told: whose it is.</summary>
    IComparisonMonitor Marked(string mark);
}
