namespace Ldvc.Bench.Scale;

/// <summary>
/// How long a step of several GPUs takes, on paper: the batch is shared out, the gradients are summed in a ring whose slowest link sets the pace.
/// Nothing here is measured but the inputs.
/// </summary>
/// <param name="PictureMilliseconds">A step's time for one picture on one GPU.</param>
/// <param name="Batch">Pictures of a step, over all GPUs.</param>
/// <param name="GradientMegabytes">Gradients of a step.</param>
/// <param name="Window">The share of a step in which gradients are ready and the backward still runs.</param>
/// <param name="BucketMegabytes">What is summed at once: the last one's sum has nothing left to hide behind.</param>
/// <param name="LinkShare">The share of a link's rate that a ring reaches.</param>
internal sealed record PaperModel(
    double PictureMilliseconds, int Batch, double GradientMegabytes, double Window, double BucketMegabytes, double LinkShare)
{
    /// <summary>The formulas, as they are computed here.</summary>
    internal static string[] Formulas { get; } =
    [
        "T(P) = batch / P * time of a picture",
        "S(P) = 2 (P-1)/P * gradients / (share of the link * rate of the slowest link) + 2 (P-1) * time of a ring's step",
        "without overlap: efficiency = T / (T + S)",
        "with overlap: efficiency = T / (T + max(S - window * T, S * bucket / gradients))",
    ];

    /// <summary>Milliseconds in which P GPUs compute.</summary>
    internal double Compute(int gpus) => (double)Batch / gpus * PictureMilliseconds;

    /// <summary>Milliseconds of the sums.</summary>
    internal double Sums(int gpus, Link slowest) => gpus == 1
        ? 0
        : (2.0 * (gpus - 1) / gpus * GradientMegabytes / (LinkShare * slowest.GigabytesPerSecond))
            + (2 * (gpus - 1) * slowest.StepMicroseconds / 1000);

    /// <summary>Share of P times one GPU's speed when the sums begin after the backward.</summary>
    internal double Efficiency(int gpus, Link slowest) => Compute(gpus) / (Compute(gpus) + Sums(gpus, slowest));

    /// <summary>The same when they run beside it.</summary>
    internal double EfficiencyWithOverlap(int gpus, Link slowest)
    {
        double compute = Compute(gpus), sums = Sums(gpus, slowest);
        double left = Math.Max(sums - (Window * compute), sums * Math.Min(1, BucketMegabytes / GradientMegabytes));
        return compute / (compute + left);
    }
}
