using Ldvc.Kernels;
using Ldvc.Kernels.Attention;
using Ldvc.Kernels.Attention.Gpu;
using Ldvc.Kernels.Attention.TensorCore;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.MatMul;
using Ldvc.Kernels.MatMul.TensorCore;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>When tensor-core kernels are taken, and what happens when one is wrong.</summary>
[Collection("simulator")]
public class TensorCoreGateTests(SimulatorFixture fixture)
{
    [Fact]
    public void KernelThatAgreesIsUsedFromThenOn()
    {
        var warnings = new List<string>();
        var portable = new HostMatMul(1f);
        float[] c = Multiply(portable, warnings, Precision.Bf16);
        Assert.Empty(warnings);
        Assert.Equal(1, portable.Calls);

        // 1 + 2^-10 is 1 in bf16.
        Assert.All(c, x => Assert.Equal(16f, x));
    }

    [Fact]
    public void Fp16HoldsMoreBits()
    {
        var warnings = new List<string>();
        var portable = new HostMatMul(1f);
        float[] c = Multiply(portable, warnings, Precision.Fp16);
        Assert.Empty(warnings);
        Assert.Equal(1, portable.Calls);
        Assert.All(c, x => Assert.Equal(16f * (1 + MathF.ScaleB(1, -10)), x));
    }

    [Fact]
    public void KernelThatDisagreesIsReplacedWithAWarning()
    {
        var warnings = new List<string>();
        var portable = new HostMatMul(1.01f);
        float[] c = Multiply(portable, warnings, Precision.Bf16);
        Assert.Equal(3, portable.Calls);
        Assert.All(c, x => Assert.Equal(1.01f * 16 * (1 + MathF.ScaleB(1, -10)), x, 1e-4f));
        Assert.Matches(@"tensor-core kernel matmul\.bf16_nn.64x64 differs at 88 x 80 x 136 from the portable kernel by \d\.\de-00\d of the largest value, at most", Assert.Single(warnings));
    }

    [Fact]
    public void Fp32KeepsToPortableKernels()
    {
        var portable = new HostMatMul(1f);
        Multiply(portable, [], Precision.Fp32);
        Assert.Equal(2, portable.Calls);
    }

    [Fact]
    public void WhatIsNotStoredInBf16TakesTf32()
    {
        var device = fixture.Twin.Device;
        using Tensor wide = device.Zeros(new Shape(256)), stored = device.Zeros(wide.Shape, DType.BFloat16);
        var gemm = new Gemm(16, 16, 16, wide, wide, wide);
        Precision[] chosen;
        try
        {
            device.Precision = Precision.Bf16;
            chosen = [MatMulPlan.Multiplies(device.Precision, gemm), MatMulPlan.Multiplies(device.Precision, gemm with { B = stored }),
                MatMulPlan.Multiplies(device.Precision, gemm with { K = 15, B = stored })];
        }
        finally
        {
            device.Precision = Precision.Fp32;
        }

        Assert.Equal([Precision.Tf32, Precision.Bf16, Precision.Fp32], chosen);

        // What is stored for another precision has no kernel for tensor cores.
        Assert.Equal(
            (Precision.Tf32, Precision.Fp32, Precision.Fp32),
            (MatMulPlan.Multiplies(Precision.Fp16, gemm), MatMulPlan.Multiplies(Precision.Fp16, gemm with { B = stored }),
                MatMulPlan.Multiplies(Precision.Tf32, gemm with { B = stored })));
    }

    [Fact]
    public void AttentionKernelsAgreeWithPortableOnes()
    {
        var device = fixture.Twin.Device;
        var launcher = KernelSet.For(device).Launcher!;
        var warnings = new List<string>();
        var gate = new TensorCoreGate(device, warnings.Add, always: true);
        var kernels = new CheckedAttention(launcher, gate, new GpuAttention(launcher));
        const int tokens = 3, width = 64;
        using Tensor x = device.FromHost(
            TensorCoreReference.Normal(tokens * width, 1),
            new Shape(tokens * width)), o = device.Zeros(x.Shape), lse = device.Zeros(new Shape(tokens));
        var rows = new TokenRows(x, tokens * width, width);
        try
        {
            device.Precision = Precision.Bf16;
            kernels.Forward(
                new AttentionSizes(1, 1, tokens, tokens, width, 0.1f, false, 0, 0), rows, rows, rows, new TokenRows(o, tokens * width, width), lse);
        }
        finally
        {
            device.Precision = Precision.Fp32;
        }

        Assert.Empty(warnings);
        Assert.NotEqual(0f, o.ToArray()[0]);
    }

    [Fact]
    public void CheckThatEndsInAnErrorIsNoVerdict()
    {
        var warnings = new List<string>();
        var gate = new TensorCoreGate(fixture.Twin.Device, warnings.Add, always: true);
        bool Ask(Func<double> difference) => gate.Allows("k", "1 x 1", 1e-3, difference);
        Assert.Throws<InputException>(() => Ask(() => throw new InputException("out of memory")));
        Assert.False(Ask(() => 1));
        Assert.False(Ask(() => 0));
        Assert.Single(warnings);

        // The check runs the kernel that it is about.
        Assert.True(gate.Allows("l", "1 x 1", 1e-3, () => gate.Allows("l", "1 x 1", 1e-3, () => 1) ? 0 : 1));
    }

    [Fact]
    public void DifferenceIsInfiniteForWhatIsNotFinite()
    {
        Assert.Equal(0.5, TensorCoreGate.Difference([1f, -2f], [1f, -1f]), 1e-9);
        Assert.Equal(double.PositiveInfinity, TensorCoreGate.Difference([1f, 1f], [1f, float.NaN]));
    }

    [Fact]
    public void CpuRefusesBf16()
    {
        using var cpu = new CpuDevice(1);
        cpu.Precision = Precision.Fp32;
        var error = Assert.Throws<InputException>(() => cpu.Precision = Precision.Bf16);
        Assert.Contains("precision bf16: device cpu computes in fp32 only", error.Message);
    }

    // Two products of 1 + 2^-10 and ones that are stored in bf16, 16 terms each; the second one's result.
    private float[] Multiply(HostMatMul portable, List<string> warnings, Precision precision)
    {
        var device = fixture.Twin.Device;
        var launcher = KernelSet.For(device).Launcher!;
        var kernels = new CheckedMatMul(launcher, new TensorCoreGate(device, warnings.Add, always: true), portable);
        var numbers = new float[256];
        Array.Fill(numbers, 1f + MathF.ScaleB(1, -10));
        var ones = new float[256];
        Array.Fill(ones, 1f);
        using Tensor a = device.FromHost(numbers, new Shape(256)), b = device.FromHostRounded(
            ones, new Shape(256), precision == Precision.Fp16 ? DType.Float16 : DType.BFloat16), c = device.Zeros(new Shape(256));
        try
        {
            device.Precision = precision;
            kernels.Run(new Gemm(16, 16, 16, a, b, c));
            kernels.Run(new Gemm(16, 16, 16, a, b, c));
        }
        finally
        {
            device.Precision = Precision.Fp32;
        }

        return c.ToArray();
    }

    /// <summary>Products on the host, scaled by a factor that is 1 when they are right.</summary>
    private sealed class HostMatMul(float factor) : IMatMulKernels
    {
        internal int Calls { get; private set; }

        public GemmParts RunInParts(in Gemm gemm)
        {
            Run(gemm);
            return new GemmParts(gemm.C);
        }

        public void Run(in Gemm gemm)
        {
            Calls++;
            float[] a = Read(gemm.A, gemm.M * gemm.K), b = Read(gemm.B, gemm.K * gemm.N), c = new float[gemm.M * gemm.N],
                before = new float[gemm.M * gemm.N];
            float[] bias = gemm.Bias.IsNone ? new float[gemm.N] : Read(gemm.Bias, gemm.N),
                residual = gemm.Residual.IsNone ? new float[c.Length] : Read(gemm.Residual, c.Length);
            for (int i = 0; i < c.Length; i++)
            {
                double x = 0;
                for (int k = 0; k < gemm.K; k++)
                {
                    x += (double)a[(i / gemm.N * gemm.K) + k] * b[(k * gemm.N) + (i % gemm.N)];
                }

                x = (gemm.Alpha * x) + bias[i % gemm.N];
                before[i] = factor * (float)x;
                x = gemm.Activation == Activation.QuickGelu ? x / (1 + Math.Exp(-1.702 * x)) : x;
                c[i] = factor * (float)(x + residual[i]);
            }

            Write(gemm.C, c);
            if (!gemm.PreActivation.IsNone)
            {
                Write(gemm.PreActivation, before);
            }
        }

        private static void Write(View view, float[] values) =>
            view.Storage.Device.Upload(view.Storage, view.Offset * 4, System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values));

        private static float[] Read(View view, int count)
        {
            var values = new float[count];
            view.Storage.Device.Download(view.Storage, view.Offset * 4, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()));
            return values;
        }
    }
}
