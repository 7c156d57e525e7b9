using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace Ldvc.Kernels.Gpu.Intrinsics;

/// <summary>Single instructions of the floating-point unit.</summary>
internal static class FastMath
{
    /// <summary>fma.rn.f32: a * b + c, rounded once.</summary>
    [IntrinsicImplementation]
    internal static float Fma(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    /// <summary>ex2.approx.ftz.f32: 2^x, within 2 units in the last place on the card, correctly rounded here; 2^-infinity = 0.</summary>
    [IntrinsicImplementation]
    internal static float Exp2(float x) => (float)Math.Pow(2.0, x);

    /// <summary>lg2.approx.f32: log2 x for x &gt; 0.</summary>
    [IntrinsicImplementation]
    internal static float Log2(float x) => (float)Math.Log2(x);

    internal static void EmitFma(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string[] o = PtxEmitter.Operands(generator, call, 0, 3);
        PtxEmitter.Write(generator, "fma.rn.f32", $"{PtxEmitter.Result(generator, call)}, {o[0]}, {o[1]}, {o[2]}");
    }

    internal static void EmitExp2(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string[] o = PtxEmitter.Operands(generator, call, 0, 1);
        PtxEmitter.Write(generator, "ex2.approx.ftz.f32", $"{PtxEmitter.Result(generator, call)}, {o[0]}");
    }

    internal static void EmitLog2(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string[] o = PtxEmitter.Operands(generator, call, 0, 1);
        PtxEmitter.Write(generator, "lg2.approx.f32", $"{PtxEmitter.Result(generator, call)}, {o[0]}");
    }
}
