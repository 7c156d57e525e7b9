using ILGPU;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace Ldvc.Kernels.Gpu.Intrinsics;

/// <summary>Conversions between float and bf16 (the upper 16 bits of a float), two at a time in one register.</summary>
internal static class Bf16
{
    /// <summary>cvt.rn.bf16x2.f32: rounds to nearest, ties to even; low goes into the lower half.</summary>
    [IntrinsicImplementation]
    internal static uint Pack(float low, float high) => Round(low) | (Round(high) << 16);

    /// <summary>The value of the lower half: exact.</summary>
    internal static float Low(uint pair) => Interop.IntAsFloat(pair << 16);

    /// <summary>The value of the upper half: exact.</summary>
    internal static float High(uint pair) => Interop.IntAsFloat(pair & 0xFFFF0000u);

    /// <summary>The bits of the nearest bf16, ties to even; a NaN becomes 0x7FFF, as the instruction has it.</summary>
    internal static uint Round(float value)
    {
        if (float.IsNaN(value))
        {
            return 0x7FFFu;
        }

        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
    }

    internal static void EmitPack(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string[] operands = PtxEmitter.Operands(generator, call, 0, 2);
        PtxEmitter.Write(generator, "cvt.rn.bf16x2.f32", $"{PtxEmitter.Result(generator, call)}, {operands[1]}, {operands[0]}");
    }
}
