namespace Ldvc.Bench.Compare.Ours;

/// <summary>Our engine's work of a case.</summary>
internal static class OurWorks
{
    internal static OurWork Create(string engine, PeerCase @case, string folder, int threads) => @case.Kind switch
    {
        "gemm" => new GemmWork(folder, threads),
        "attention" => new AttentionWork(@case, folder, threads),
        "route" => new RouteWork(@case, folder, threads),
        "mask" => new MaskWork(@case, folder, threads),
        "encoder" => new EncoderWork(folder, threads),
        "prompts" => new PromptsWork(@case, folder, threads),
        "text" => new TextWork(@case, folder, threads),
        "step" => new StepWork(@case, folder, threads),
        "window" => new WindowWork(@case, folder, threads, engine == PeerCases.Encoder),
        _ => throw new InvalidOperationException($"no work for '{@case.Kind}'"),
    };
}
