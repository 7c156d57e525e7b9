using Ldvc.Inference;

namespace Ldvc.Demo;

/// <summary>What the demo measured.</summary>
/// <param name="Scores">With the seen penalty of method.md 9.</param>
/// <param name="WithoutPenalty">Without it.</param>
/// <param name="Shuffled">The same model with every class given another class's embedding: what is left when names mean nothing.</param>
/// <param name="Losses">(step, mean loss since the step before).</param>
/// <param name="Steps">Training steps.</param>
/// <param name="Pictures">Validation pictures.</param>
/// <param name="TrainSeconds">Time of the training.</param>
/// <param name="TotalSeconds">Time of everything.</param>
internal sealed record DemoResult(
    Scores Scores, Scores WithoutPenalty, Scores Shuffled, IReadOnlyList<(int Step, double Loss)> Losses, int Steps, int Pictures, double TrainSeconds, double TotalSeconds)
{
    /// <summary>How many times better unseen classes are found when their names mean something.</summary>
    internal double Ratio => Shuffled.Unseen > 0 ? Scores.Unseen / Shuffled.Unseen : double.PositiveInfinity;
}
