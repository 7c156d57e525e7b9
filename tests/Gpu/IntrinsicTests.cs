using ILGPU;
using Ldvc.Kernels;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;
using Ldvc.Ptx.Machine;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>The C# bodies of the custom instructions against the definitions of the instruction set, one warp on the simulator.</summary>
[Collection("simulator")]
public class IntrinsicTests(SimulatorFixture fixture)
{
    [Fact]
    public void PackRoundsToTheNearestAndTiesToEven()
    {
        var random = new CounterRandom(1, 2);
        for (int i = 0; i < 20_000; i++)
        {
            uint bits = (uint)random.NextInt(int.MaxValue) * 2;
            if (i % 3 == 0)
            {
                // Ties, and their neighbours.
                bits = (bits & 0xFFFF0000u) | (0x7FFFu + (uint)(i % 9 / 3));
            }

            float value = BitConverter.UInt32BitsToSingle(bits);
            if (!float.IsFinite(value))
            {
                continue;
            }

            float below = BitConverter.UInt32BitsToSingle(bits & 0xFFFF0000u), above = BitConverter.UInt32BitsToSingle(
                (bits & 0xFFFF0000u) + 0x10000u);
            double down = Math.Abs((double)value - below), up = Math.Abs(Upper(above) - value);
            bool even = ((bits >> 16) & 1) == 0;
            uint expected = down < up || (down == up && even) ? bits >> 16 : (bits >> 16) + 1;
            Assert.Equal(expected, Bf16.Round(value));
            uint pair = Bf16.Pack(value, 1.5f);
            Assert.Equal(expected | 0x3FC00000u, pair);
            Assert.Equal(BitConverter.UInt32BitsToSingle(expected << 16), Bf16.Low(pair));
            Assert.Equal(1.5f, Bf16.High(pair));
        }

        Assert.Equal(0x7F80u, Bf16.Round(float.MaxValue));
        Assert.Equal(0x7F80u, Bf16.Round(float.PositiveInfinity));
        Assert.True(float.IsNaN(Bf16.Low(Bf16.Round(float.NaN))));

        // The step above the largest finite value, so that halfway is in the middle of two numbers.
        static double Upper(float x) => float.IsInfinity(x) ? (x > 0 ? 1 : -1) * Math.ScaleB(1, 128) : x;
    }

    // Every number of fp16, and what lies on both sides of halfway to the next: by the instruction's body here, by the interpreter and by what
    // weights are rounded with.
    [Fact]
    public void EveryFp16NumberIsWidenedExactlyAndRoundedToFromAllItsNeighbours()
    {
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            ushort half = (ushort)bits;
            float value = Fp16.Widen(half);
            int exponent = (bits >> 10) & 31, mantissa = bits & 1023;
            if (exponent == 31)
            {
                Assert.True(mantissa == 0 ? float.IsInfinity(value) : float.IsNaN(value));
                Assert.Equal(mantissa == 0 ? half : 0x7FFFu, Fp16.Round(value));
                continue;
            }

            double exact = (bits >= 0x8000 ? -1 : 1) * (exponent == 0 ? Math.ScaleB(mantissa, -24) : Math.ScaleB(1024 + mantissa, exponent - 25));
            Check(value, half);
            Assert.Equal(BitConverter.DoubleToInt64Bits(exact), BitConverter.DoubleToInt64Bits(value));

            // Half a step is exact in float32. After the largest number comes what would be 65536.
            float middle = (float)(exact + ((bits >= 0x8000 ? -1 : 1) * Math.ScaleB(1, Math.Max(exponent, 1) - 26)));
            bool even = bits % 2 == 0;
            Check(middle, even ? half : (ushort)(bits + 1));
            Check(bits >= 0x8000 ? MathF.BitIncrement(middle) : MathF.BitDecrement(middle), half);
            Check(bits >= 0x8000 ? MathF.BitDecrement(middle) : MathF.BitIncrement(middle), (ushort)(bits + 1));
        }

        static void Check(float value, ushort expected)
        {
            if (Fp16.Round(value) != expected || HalfConversion.SingleToFloat16(value) != expected
                || Fp16.Pack(value, -value) != (expected | ((uint)(expected ^ 0x8000) << 16))
                || PtxTensorCore.OfFp16(expected) != Fp16.Widen(expected) || PtxArithmetic.RoundFp16(value) != expected)
            {
                Assert.Fail($"{value:R} gives {Fp16.Round(value):X4}, expected {expected:X4}");
            }
        }
    }

    [Fact]
    public void Tf32KeepsTenBits()
    {
        Assert.Equal(1f, BitConverter.UInt32BitsToSingle(Mma.ToTf32(1f + MathF.ScaleB(1, -12))));
        Assert.Equal(1f + MathF.ScaleB(1, -10), BitConverter.UInt32BitsToSingle(Mma.ToTf32(1f + MathF.ScaleB(1, -11))));
        Assert.Equal(-1f - MathF.ScaleB(1, -10), BitConverter.UInt32BitsToSingle(Mma.ToTf32(-1f - MathF.ScaleB(1, -11))));
        Assert.True(float.IsPositiveInfinity(BitConverter.UInt32BitsToSingle(Mma.ToTf32(float.MaxValue))));
    }

    [Fact]
    public void ScalarInstructions()
    {
        Assert.Equal(MathF.ScaleB(1, -24), FastMath.Fma(1f + MathF.ScaleB(1, -12), 1f + MathF.ScaleB(1, -12), -1f - MathF.ScaleB(1, -11)));
        Assert.Equal(0.125f, FastMath.Exp2(-3f));
        Assert.Equal(0f, FastMath.Exp2(float.NegativeInfinity));
        Assert.Equal(10f, FastMath.Log2(1024f));
    }

    [Theory]
    [InlineData("bf16")]
    [InlineData("fp16")]
    [InlineData("tf32")]
    public void MmaMultiplies(string number)
    {
        bool tf32 = number == "tf32";
        int depth = tf32 ? 8 : 16;
        var random = new CounterRandom(3, tf32 ? 1ul : 0);
        float[] a = Values(16 * depth), b = Values(depth * 8), c = Values(16 * 8);
        var fragments = new int[32 * 6];
        var sums = new float[32 * 4];
        for (int lane = 0; lane < 32; lane++)
        {
            int g = lane / 4, t = lane % 4;
            int half = depth / 2;
            (int Row, int K)[] left = [(g, 0), (g + 8, 0), (g, half), (g + 8, half)];
            for (int i = 0; i < 4; i++)
            {
                fragments[(lane * 6) + i] = (int)Register(k => a[(left[i].Row * depth) + left[i].K + k], t);
            }

            fragments[(lane * 6) + 4] = (int)Register(k => b[(k * 8) + g], t);
            fragments[(lane * 6) + 5] = (int)Register(k => b[((half + k) * 8) + g], t);
            for (int i = 0; i < 4; i++)
            {
                sums[(lane * 4) + i] = c[((g + (i / 2 * 8)) * 8) + (2 * t) + (i % 2)];
            }
        }

        float[] actual = RunMma(fragments, sums, number);
        for (int lane = 0; lane < 32; lane++)
        {
            for (int i = 0; i < 4; i++)
            {
                int row = (lane / 4) + (i / 2 * 8), column = (2 * (lane % 4)) + (i % 2);
                double expected = c[(row * 8) + column];
                for (int k = 0; k < depth; k++)
                {
                    expected += (double)a[(row * depth) + k] * b[(k * 8) + column];
                }

                Assert.Equal((float)expected, actual[(lane * 4) + i]);
            }
        }

        // Values that all formats hold exactly.
        float[] Values(int count)
        {
            var values = new float[count];
            for (int i = 0; i < count; i++)
            {
                values[i] = (random.NextInt(255) - 127) / 32f;
            }

            return values;
        }

        uint Register(Func<int, float> at, int t) => number switch
        {
            "tf32" => BitConverter.SingleToUInt32Bits(at(t)),
            "fp16" => Fp16.Pack(at(2 * t), at((2 * t) + 1)),
            _ => Bf16.Pack(at(2 * t), at((2 * t) + 1)),
        };
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LdMatrixDistributesRows(bool transposed)
    {
        // Chunk j of the table is row j; lane i names row 31 - i, so that nothing works by being in order.
        var rows = new int[32 * 4];
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = (2 * i) | (((2 * i) + 1) << 16);
        }

        int[] actual = RunLdMatrix(rows, transposed);
        for (int lane = 0; lane < 32; lane++)
        {
            for (int j = 0; j < 4; j++)
            {
                int r = lane / 4, c = lane % 4;
                int first = transposed ? Element(j, 2 * c, r) : Element(j, r, 2 * c),
                    second = transposed ? Element(j, (2 * c) + 1, r) : Element(j, r, (2 * c) + 1);
                Assert.Equal(first | (second << 16), actual[(lane * 4) + j]);
            }
        }

        static int Element(int matrix, int row, int column) => ((31 - ((8 * matrix) + row)) * 8) + column;
    }

    [Fact]
    public void AsyncCopiesArriveWhenWaitedFor()
    {
        int[] actual = RunCopy();

        // Lane i copies i / 2 bytes of 0x01010101...: before any wait nothing is there, after waiting for all but one group the first copy is, then
        // both.
        for (int lane = 0; lane < 32; lane++)
        {
            int expected = 0;
            for (int b = 0; b < 4; b++)
            {
                expected |= b < lane / 2 ? 1 << (8 * b) : 0;
            }

            int[] found = actual[(lane * 4)..((lane * 4) + 4)];
            Assert.Equal((expected, expected), (found[1], found[3]));

            // A card may be done sooner; the substitutes never are.
            Assert.True(
                fixture.Twin.Device.Kind == GpuKind.Cuda
                    ? (found[0] == -1 || found[0] == expected) && (found[2] == -1 || found[2] == expected)
                    : found[0] == -1 && found[2] == -1,
                $"lane {lane}: {string.Join(' ', found)}");
        }
    }

    private float[] RunMma(int[] fragments, float[] sums, string number)
    {
        var device = fixture.Twin.Device;
        using var f = device.FromHost(fragments, new Shape(fragments.Length));
        using var c = device.FromHost(sums, new Shape(sums.Length));
        var args = new IntrinsicArgs { In = f.View.GpuInts, Out = c.View.As(DType.Int32).GpuInts };
        KernelSet.For(device).Launcher!.Launch(
            number switch { "tf32" => IntrinsicKernels.Tf32, "fp16" => IntrinsicKernels.Fp16, _ => IntrinsicKernels.Bf16 }, 1, args);
        return c.ToArray();
    }

    private int[] RunLdMatrix(int[] rows, bool transposed)
    {
        var device = fixture.Twin.Device;
        using var source = device.FromHost(rows, new Shape(rows.Length));
        using var target = device.FromHost(new int[128], new Shape(128));
        var args = new IntrinsicArgs { In = source.View.GpuInts, Out = target.View.GpuInts };
        KernelSet.For(device).Launcher!.Launch(transposed ? IntrinsicKernels.LdMatrixTransposed : IntrinsicKernels.LdMatrix, 1, args);
        return target.ToArray<int>();
    }

    private int[] RunCopy()
    {
        var device = fixture.Twin.Device;
        var ones = new int[128];
        Array.Fill(ones, 0x01010101);
        using var source = device.FromHost(ones, new Shape(128));
        using var target = device.FromHost(new int[128], new Shape(128));
        KernelSet.For(device).Launcher!.Launch(IntrinsicKernels.Copy, 1, new IntrinsicArgs { In = source.View.GpuInts, Out = target.View.GpuInts });
        return target.ToArray<int>();
    }
}

internal readonly struct IntrinsicArgs
{
    internal ArrayView<int> In { get; init; }

    internal ArrayView<int> Out { get; init; }
}

/// <summary>Kernels of one warp around one instruction each.</summary>
internal static class IntrinsicKernels
{
    internal static readonly GpuKernel<IntrinsicArgs> Bf16 = new("test.mma_bf16", RunBf16, 32);
    internal static readonly GpuKernel<IntrinsicArgs> Fp16 = new("test.mma_fp16", RunFp16, 32);
    internal static readonly GpuKernel<IntrinsicArgs> Tf32 = new("test.mma_tf32", RunTf32, 32);
    internal static readonly GpuKernel<IntrinsicArgs> LdMatrix = new("test.ldmatrix", RunLdMatrix, 32);
    internal static readonly GpuKernel<IntrinsicArgs> LdMatrixTransposed = new("test.ldmatrix_trans", RunLdMatrixTransposed, 32);
    internal static readonly GpuKernel<IntrinsicArgs> Copy = new("test.cp_async", RunCopy, 32);

    internal static void RunBf16(IntrinsicArgs args)
    {
        var f = args.In.Cast<uint>();
        int i = Group.IdxX * 6;
        var sums = args.Out.Cast<Accumulator>();
        Accumulator c = sums[Group.IdxX];
        sums[Group.IdxX] = Mma.Bf16(f[i], f[i + 1], f[i + 2], f[i + 3], f[i + 4], f[i + 5], c.X, c.Y, c.Z, c.W);
    }

    internal static void RunFp16(IntrinsicArgs args)
    {
        var f = args.In.Cast<uint>();
        int i = Group.IdxX * 6;
        var sums = args.Out.Cast<Accumulator>();
        Accumulator c = sums[Group.IdxX];
        sums[Group.IdxX] = Mma.Fp16(f[i], f[i + 1], f[i + 2], f[i + 3], f[i + 4], f[i + 5], c.X, c.Y, c.Z, c.W);
    }

    internal static void RunTf32(IntrinsicArgs args)
    {
        var f = args.In.Cast<uint>();
        int i = Group.IdxX * 6;
        var sums = args.Out.Cast<Accumulator>();
        Accumulator c = sums[Group.IdxX];
        sums[Group.IdxX] = Mma.Tf32(f[i], f[i + 1], f[i + 2], f[i + 3], f[i + 4], f[i + 5], c.X, c.Y, c.Z, c.W);
    }

    internal static void RunLdMatrix(IntrinsicArgs args)
    {
        var shared = SharedMemory.Allocate1D<Halves8>(32);
        shared[Group.IdxX] = args.In.Cast<Halves8>()[Group.IdxX];
        ILGPU.Group.Barrier();
        args.Out.Cast<Registers4>()[Group.IdxX] = Ldvc.Kernels.Gpu.Intrinsics.LdMatrix.X4(ref shared[31 - Group.IdxX]);
    }

    internal static void RunLdMatrixTransposed(IntrinsicArgs args)
    {
        var shared = SharedMemory.Allocate1D<Halves8>(32);
        shared[Group.IdxX] = args.In.Cast<Halves8>()[Group.IdxX];
        ILGPU.Group.Barrier();
        args.Out.Cast<Registers4>()[Group.IdxX] = Ldvc.Kernels.Gpu.Intrinsics.LdMatrix.X4Transposed(ref shared[31 - Group.IdxX]);
    }

    internal static void RunCopy(IntrinsicArgs args)
    {
        var shared = SharedMemory.Allocate1D<Halves8>(64);
        int lane = Group.IdxX;
        Halves8 before;
        before.X = before.Y = before.Z = before.W = 0xFFFFFFFFu;
        shared[lane] = before;
        shared[lane + 32] = before;
        AsyncCopy.Copy16(ref shared[lane], ref args.In.Cast<Halves8>()[lane], lane / 2);
        AsyncCopy.Commit();
        AsyncCopy.Copy16(ref shared[lane + 32], ref args.In.Cast<Halves8>()[lane], lane / 2);
        AsyncCopy.Commit();
        int at = lane * 4;
        args.Out[at] = (int)shared[lane].X;
        AsyncCopy.WaitAllButOne();
        args.Out[at + 1] = (int)shared[lane].X;
        args.Out[at + 2] = (int)shared[lane + 32].X;
        AsyncCopy.WaitAll();
        args.Out[at + 3] = (int)shared[lane + 32].X;
    }
}
