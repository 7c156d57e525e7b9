using System.Runtime;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Ldvc.Kernels.Simd;
using Ldvc.Lab.Evidence;

namespace Ldvc.App.Doctor;

/// <summary>Operating system, processor, memory, runtime.</summary>
internal static class MachineFacts
{
    public static IEnumerable<Finding> Collect(string version)
    {
        yield return Fact("ldvc", version);
        yield return Fact("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}");
        yield return Fact("runtime", $"{RuntimeInformation.FrameworkDescription}, {(GCSettings.IsServerGC ? "server" : "workstation")} GC");
        yield return Fact("processor", $"{Machine.Here.Processor}, {Environment.ProcessorCount} cores to use");
        yield return Fact("vectors", Vectors());
        yield return Fact("memory", $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1L << 30):F1} GiB to use");
    }

    /// <summary>The width the kernels use, what the hardware has, and whether LDVC_SIMD decides.</summary>
    internal static string Vectors()
    {
        (string Name, bool Has)[] sets =
        [
            ("AVX-512", Avx512F.IsSupported),
            ("AVX2", Avx2.IsSupported),
            ("FMA", Fma.IsSupported),
            ("NEON", AdvSimd.IsSupported),
        ];
        string[] has = [.. sets.Where(set => set.Has).Select(set => set.Name)];
        int widest = Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;
        string? variable = Environment.GetEnvironmentVariable(SimdLevel.Variable);
        string forced = string.IsNullOrEmpty(variable) ? "" : SimdLevel.Fault(variable) is { } fault
            ? $"; {fault.TrimEnd('.')}" : $", {SimdLevel.Variable}={variable} is set";
        return $"{SimdLevel.Bits} bits in use, {widest} in hardware ({(has.Length > 0 ? string.Join(", ", has) : "baseline only")}){forced}";
    }

    private static Finding Fact(string subject, string text) => new(subject, FindingState.Info, text);
}
