using Ldvc.Kernels.Simd;

namespace Ldvc.Cli.Doctor;

/// <summary>Every device --device knows, and why it can or cannot be used.</summary>
internal static class DeviceFacts
{
    private const string NotBuilt = "this build has no GPU kernels";

    public static IEnumerable<Finding> Collect(int threads)
    {
        int count = threads == 0 ? Environment.ProcessorCount : threads;
        yield return new Finding("device cpu", FindingState.Ok, $"{count} threads, {SimdLevel.Bits}-bit vectors");
        yield return new Finding("device cuda", FindingState.Absent, $"{NotBuilt}; driver: {CudaProbe.Describe()}");
        yield return new Finding("device opencl", FindingState.Absent, $"{NotBuilt}; driver: {OpenClProbe.Describe()}");
        yield return new Finding("device simulator", FindingState.Absent, NotBuilt);
    }
}
