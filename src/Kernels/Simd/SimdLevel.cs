using System.Runtime.Intrinsics;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Simd;

/// <summary>Which vector width the CPU kernels use.</summary>
internal static class SimdLevel
{
    /// <summary>Environment variable that forces a width: 128, 256 or 512.</summary>
    internal const string Variable = "LDVC_SIMD";

    /// <summary>Floats of the widest vector.</summary>
    internal const int MaxLanes = 16;

    /// <summary>
    /// The width in bits: the widest the hardware has, or what the variable says. Every width works on every machine (wider vectors than the
    /// hardware's are emulated with narrower ones), so tests run all three by setting this.
    /// </summary>
    internal static int Bits { get; set; } = Choose();

    /// <summary>What is wrong with a value of the variable; null when nothing is.</summary>
    internal static string? Fault(string? value) =>
        value is null or "" or "128" or "256" or "512" ? null : $"{Variable}: expected 128, 256 or 512, found '{value}'.";

    /// <summary>Refuses a value of the variable that is no width: whoever asks for one compares its results or its speed.</summary>
    /// <exception cref="InputException">It is set to anything else.</exception>
    internal static void Check()
    {
        if (Fault(Environment.GetEnvironmentVariable(Variable)) is { } fault)
        {
            throw new InputException(fault);
        }
    }

    private static int Choose()
    {
        return Environment.GetEnvironmentVariable(Variable) switch
        {
            "128" => 128,
            "256" => 256,
            "512" => 512,
            _ => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128,
        };
    }
}
