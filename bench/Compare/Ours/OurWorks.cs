namespace Ldvc.Bench.Compare.Ours;

/// <summary>Our engine's work of a case.</summary>
internal static class OurWorks
{
    internal static OurWork Create(string engine, PeerCase @case, string folder, WorkDevice on) => @case.Kind switch
    {
        "gemm" => new GemmWork(folder, on),
        "attention" => new AttentionWork(@case, folder, on),
        "route" => new RouteWork(@case, folder, on),
        "mask" => new MaskWork(@case, folder, on),
        "encoder" => new EncoderWork(folder, on),
        "prompts" => new PromptsWork(@case, folder, on),
        "text" => new TextWork(@case, folder, on),
        PeerCase.Step => new StepWork(@case, folder, on, engine == PeerCases.Graph),
        "window" => new WindowWork(@case, folder, on, engine == PeerCases.Encoder),
        _ => throw new InvalidOperationException($"no work for '{@case.Kind}'"),
    };
}
