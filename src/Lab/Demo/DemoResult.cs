using Ldvc.Inference;

namespace Ldvc.Lab.Demo;

/// <summary>What one method scored.</summary>
/// <param name="Name">"ZegCLIP", "LDVC".</param>
/// <param name="Scores">With the seen penalty of method.md 9.</param>
/// <param name="WithoutPenalty">Without it.</param>
/// <param name="Shuffled">The same model with every class given another class's embedding: a control: what is left when names mean nothing.</param>
/// <param name="Pictures">Confusion matrix of each picture, with the penalty.</param>
/// <param name="Losses">(step, mean loss since the step before).</param>
/// <param name="TrainSeconds">Time of the training.</param>
internal sealed record MethodResult(
    string Name,
    Scores Scores,
    Scores WithoutPenalty,
    Scores Shuffled,
    IReadOnlyList<Confusion> Pictures,
    IReadOnlyList<(int Step, double Loss)> Losses,
    double TrainSeconds)
{
    /// <summary>How many times better unseen classes are found when their names mean something.</summary>
    internal double Ratio => Shuffled.Unseen > 0 ? Scores.Unseen / Shuffled.Unseen : double.PositiveInfinity;
}

/// <summary>What the demo measured.</summary>
/// <param name="TrainingFree">The CLIP alone, without training and without a penalty.</param>
/// <param name="Baseline">ZegCLIP.</param>
/// <param name="Ldvc">LDVC.</param>
/// <param name="TrainingFreeIntervals">Scores of the CLIP alone with 95 % intervals over pictures.</param>
/// <param name="BaselineIntervals">Scores of the baseline with 95 % intervals over pictures.</param>
/// <param name="LdvcIntervals">The same of LDVC.</param>
/// <param name="Gain">LDVC minus baseline, resampled together.</param>
/// <param name="Steps">Training steps of each.</param>
/// <param name="TotalSeconds">Time of everything.</param>
internal sealed record DemoResult(
    MethodResult TrainingFree,
    MethodResult Baseline,
    MethodResult Ldvc,
    ScoreIntervals TrainingFreeIntervals,
    ScoreIntervals BaselineIntervals,
    ScoreIntervals LdvcIntervals,
    ScoreIntervals Gain, int Steps, double TotalSeconds);
