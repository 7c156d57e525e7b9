using ILGPU;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace Ldvc.Kernels.Gpu.Intrinsics;

/// <summary>
/// The tensor cores: D = A B + C by one warp, A 16 x k row by row, B k x 8 column by column, C and D 16 x 8 floats. With g = lane / 4 and
/// t = lane % 4, a lane holds of C (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1).
/// </summary>
internal static unsafe class Mma
{
    /// <summary>
    /// k = 16, bf16 pairs: a0 = A(g, 2t..), a1 = A(g + 8, 2t..), a2 = A(g, 2t + 8..), a3 = A(g + 8, 2t + 8..); b0 = B(2t.., g), b1 = B(2t + 8.., g).
    /// Products are exact; here they are summed in double precision, the card sums in single precision in an order of its own.
    /// </summary>
    [IntrinsicImplementation]
    internal static Accumulator Bf16(uint a0, uint a1, uint a2, uint a3, uint b0, uint b1, float c0, float c1, float c2, float c3)
    {
        ulong* table = WarpExchange.Exchange([a0, a1, a2, a3, b0, b1]);
        int g = Warp.LaneIdx / 4, t = Warp.LaneIdx % 4;
        Accumulator d;
        d.X = DotBf16(table, c0, g, 0, 2 * t);
        d.Y = DotBf16(table, c1, g, 0, (2 * t) + 1);
        d.Z = DotBf16(table, c2, g, 1, 2 * t);
        d.W = DotBf16(table, c3, g, 1, (2 * t) + 1);
        return d;
    }

    /// <summary>The same with fp16 pairs: products are exact in single precision too, subnormal numbers count.</summary>
    [IntrinsicImplementation]
    internal static Accumulator Fp16(uint a0, uint a1, uint a2, uint a3, uint b0, uint b1, float c0, float c1, float c2, float c3)
    {
        ulong* table = WarpExchange.Exchange([a0, a1, a2, a3, b0, b1]);
        int g = Warp.LaneIdx / 4, t = Warp.LaneIdx % 4;
        Accumulator d;
        d.X = DotFp16(table, c0, g, 0, 2 * t);
        d.Y = DotFp16(table, c1, g, 0, (2 * t) + 1);
        d.Z = DotFp16(table, c2, g, 1, 2 * t);
        d.W = DotFp16(table, c3, g, 1, (2 * t) + 1);
        return d;
    }

    /// <summary>
    /// k = 8, tf32 (floats of which the card reads the upper 19 bits): a0 = A(g, t), a1 = A(g + 8, t), a2 = A(g, t + 4), a3 = A(g + 8, t + 4);
    /// b0 = B(t, g), b1 = B(t + 4, g).
    /// </summary>
    [IntrinsicImplementation]
    internal static Accumulator Tf32(uint a0, uint a1, uint a2, uint a3, uint b0, uint b1, float c0, float c1, float c2, float c3)
    {
        ulong* table = WarpExchange.Exchange([a0, a1, a2, a3, b0, b1]);
        int g = Warp.LaneIdx / 4, t = Warp.LaneIdx % 4;
        Accumulator d;
        d.X = DotTf32(table, c0, g, 0, 2 * t);
        d.Y = DotTf32(table, c1, g, 0, (2 * t) + 1);
        d.Z = DotTf32(table, c2, g, 1, 2 * t);
        d.W = DotTf32(table, c3, g, 1, (2 * t) + 1);
        return d;
    }

    /// <summary>cvt.rna.tf32.f32: rounds to 10 bits of mantissa, ties away from zero.</summary>
    [IntrinsicImplementation]
    internal static uint ToTf32(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsFinite(value) ? (bits + 0x1000u) & 0xFFFFE000u : bits;
    }

    internal static void EmitBf16(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        Emit(generator, call, "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32");

    internal static void EmitFp16(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        Emit(generator, call, "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32");

    internal static void EmitTf32(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        Emit(generator, call, "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32");

    internal static void EmitToTf32(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string[] o = PtxEmitter.Operands(generator, call, 0, 1);
        PtxEmitter.Write(generator, "cvt.rna.tf32.f32", $"{PtxEmitter.Result(generator, call)}, {o[0]}");
    }

    private static void Emit(PTXCodeGenerator generator, Value call, string instruction)
    {
        string[] o = PtxEmitter.Operands(generator, call, 0, 10);
        string[] d = PtxEmitter.Results(generator, call);
        PtxEmitter.Write(
            generator,
            instruction,
            $"{PtxEmitter.Vector(d)}, {PtxEmitter.Vector(o.AsSpan(0, 4))}, {PtxEmitter.Vector(o.AsSpan(4, 2))}, {PtxEmitter.Vector(o.AsSpan(6))}");
    }

    // Row g (half 0) or g + 8 (half 1) of A times one column of B: lane 4 g + t holds A(g, 2t..), lane 4 column + t holds B(2t.., column).
    private static float DotBf16(ulong* table, float c, int g, int half, int column)
    {
        double sum = c;
        for (int t = 0; t < 4; t++)
        {
            ulong* a = WarpExchange.Slot(table, (4 * g) + t);
            ulong* b = WarpExchange.Slot(table, (4 * column) + t);
            sum += Pair((uint)a[half], (uint)b[4]) + Pair((uint)a[half + 2], (uint)b[5]);
        }

        return (float)sum;
    }

    private static float DotFp16(ulong* table, float c, int g, int half, int column)
    {
        double sum = c;
        for (int t = 0; t < 4; t++)
        {
            ulong* a = WarpExchange.Slot(table, (4 * g) + t);
            ulong* b = WarpExchange.Slot(table, (4 * column) + t);
            sum += HalfPair((uint)a[half], (uint)b[4]) + HalfPair((uint)a[half + 2], (uint)b[5]);
        }

        return (float)sum;
    }

    private static float DotTf32(ulong* table, float c, int g, int half, int column)
    {
        double sum = c;
        for (int t = 0; t < 4; t++)
        {
            ulong* a = WarpExchange.Slot(table, (4 * g) + t);
            ulong* b = WarpExchange.Slot(table, (4 * column) + t);
            sum += (Truncated(a[half]) * Truncated(b[4])) + (Truncated(a[half + 2]) * Truncated(b[5]));
        }

        return (float)sum;
    }

    private static double Pair(uint a, uint b) =>
        ((double)Value(a << 16) * Value(b << 16)) + ((double)Value(a & 0xFFFF0000u) * Value(b & 0xFFFF0000u));

    private static double HalfPair(uint a, uint b) => ((double)Half(a) * Half(b)) + ((double)Half(a >> 16) * Half(b >> 16));

    private static float Half(uint bits) => Intrinsics.Fp16.Widen((ushort)bits);

    private static double Truncated(ulong bits) => Value((uint)bits & 0xFFFFE000u);

    private static float Value(uint bits) => BitConverter.UInt32BitsToSingle(bits);
}
