using ILGPU;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace Ldvc.Kernels.Gpu.Intrinsics;

/// <summary>Conversions between float and fp16 (IEEE 754 binary16), whose numbers are bits on the host; two at a time in one register.</summary>
internal static class Fp16
{
    /// <summary>cvt.rn.f16x2.f32: rounds to nearest, ties to even, beyond 65504 to infinity from 65520 on; low goes into the lower half.</summary>
    [IntrinsicImplementation]
    internal static uint Pack(float low, float high) => Round(low) | (Round(high) << 16);

    /// <summary>cvt.f32.f16: exact, subnormal numbers too.</summary>
    [IntrinsicImplementation]
    internal static float Widen(ushort bits) => (float)BitConverter.UInt16BitsToHalf(bits);

    /// <summary>red.global.or.b32: sets a mark; threads may do so at once.</summary>
    [IntrinsicImplementation]
    internal static void Mark(ref int mark) => Interlocked.Or(ref mark, 1);

    /// <summary>The value of the lower half: exact.</summary>
    internal static float Low(uint pair) => OfThread(Widen((ushort)pair));

    /// <summary>The value of the upper half: exact.</summary>
    internal static float High(uint pair) => OfThread(Widen((ushort)(pair >> 16)));

    /// <summary>
    /// The same value. ILGPU takes what an instruction of ours gives for the same in all threads and would mark branches on it as uniform; put
    /// together with the thread's number, of which nothing is left, it does not.
    /// </summary>
    internal static float OfThread(float value) => Interop.IntAsFloat(Interop.FloatAsInt(value) | (uint)(Warp.LaneIdx >> 5));

    /// <summary>The bits of the nearest fp16, ties to even; a NaN becomes 0x7FFF, as the instruction has it.</summary>
    internal static uint Round(float value) => float.IsNaN(value) ? 0x7FFFu : BitConverter.HalfToUInt16Bits((System.Half)value);

    internal static void EmitPack(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string[] operands = PtxEmitter.Operands(generator, call, 0, 2);
        PtxEmitter.Write(generator, "cvt.rn.f16x2.f32", $"{PtxEmitter.Result(generator, call)}, {operands[1]}, {operands[0]}");
    }

    internal static void EmitMark(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        PtxEmitter.Write(generator, "red.global.or.b32", $"[{PtxEmitter.Address(generator, call, 0)}], 1");

    internal static void EmitWiden(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string[] operands = PtxEmitter.Operands(generator, call, 0, 1);
        PtxEmitter.Write(generator, "cvt.f32.f16", $"{PtxEmitter.Result(generator, call)}, {operands[0]}");
    }
}
