using Ldvc.Kernels.Simd;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.App.Doctor;

/// <summary>Every device --device knows, and why it can or cannot be used.</summary>
internal static class DeviceFacts
{
    public static IEnumerable<Finding> Collect(int threads)
    {
        int count = threads == 0 ? Environment.ProcessorCount : threads;
        yield return new Finding("device cpu", FindingState.Ok, $"{count} threads, {SimdLevel.Bits}-bit vectors");
        yield return Gpu("cuda", GpuKind.Cuda, CudaProbe.Describe());
        yield return Gpu("opencl", GpuKind.OpenCl, OpenClProbe.Describe());
        yield return new Finding(
            "device simulator", FindingState.Ok, "GPU kernels on CPU threads, one a lane: for tests, thousands of times slower than cpu");
    }

    private static Finding Gpu(string name, GpuKind kind, string driver)
    {
        string subject = $"device {name}";
        try
        {
            var devices = GpuPlatform.List(kind);
            return devices.Count == 0
                ? new Finding(subject, FindingState.Absent, $"no device; driver: {driver}")
                : new Finding(subject, FindingState.Ok,
                    string.Join(", ", devices.Select((d, i) => $"{name}:{i} = {d.Name}, {d.Bytes / (double)(1L << 30):F1} GiB"
                        + (d.Float64 ? "" : ", no float64 (route attention and train.clip_grad need it)")))
                        + $"; driver: {driver}");
        }
        catch (InputException e)
        {
            return new Finding(subject, FindingState.Absent, $"{e.Message}; driver: {driver}");
        }
    }
}
