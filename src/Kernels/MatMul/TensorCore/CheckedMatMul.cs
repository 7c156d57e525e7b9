using System.Runtime.InteropServices;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;
using Ldvc.Kernels.MatMul.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.MatMul.TensorCore;

/// <summary>Matrix products of a GPU: on the tensor cores where <see cref="MatMulPlan"/> says so and the first-use check has passed.</summary>
internal sealed class CheckedMatMul(GpuLauncher launcher, TensorCoreGate gate, IMatMulKernels portable) : IMatMulKernels, IDisposable
{
    // Inputs that bf16, fp16 and tf32 hold exactly: only the order of float32 sums is left to differ.
    private const double Tolerance = 1e-5;

    // A grid has a row of groups for each 64 or 128 rows of C.
    private const int MaxRows = GpuSizes.MaxGrid * MatMulPlan.SmallEdge;

    // Results rounded to 16 bits, bf16 or finer: where the sums differ, neighbouring numbers.
    private const double RoundedTolerance = 1.0 / 128;

    private readonly TensorCoreMatMul _bf16 = new(launcher, Precision.Bf16);
    private readonly TensorCoreMatMul _fp16 = new(launcher, Precision.Fp16);
    private readonly TensorCoreMatMul _tf32 = new(launcher, Precision.Tf32);
    private readonly WidenedMatMul _portable = new(launcher, portable);

    /// <inheritdoc/>
    public void Run(in Gemm gemm)
    {
        if (gemm.M <= MaxRows)
        {
            RunWhole(gemm);
            return;
        }

        for (int first = 0; first < gemm.M; first += MaxRows)
        {
            RunWhole(gemm.Rows(first, Math.Min(MaxRows, gemm.M - first)));
        }
    }

    private void RunWhole(in Gemm gemm)
    {
        if (Chosen(gemm, out bool large) is { } kernels)
        {
            kernels.Run(gemm, large);
            return;
        }

        _portable.Run(gemm);
    }

    /// <inheritdoc/>
    public GemmParts RunInParts(in Gemm gemm) =>
        Chosen(gemm, out bool large) is { } kernels ? kernels.RunInParts(gemm, large) : _portable.RunInParts(gemm);

    private TensorCoreMatMul? Chosen(in Gemm gemm, out bool large)
    {
        large = false;
        var precision = MatMulPlan.Multiplies(launcher.Device.Precision, gemm);
        if (precision != Precision.Fp32)
        {
            bool edge = MatMulPlan.TakesLarge(gemm, precision, launcher.Multiprocessors);
            bool transposeA = gemm.TransposeA, transposeB = gemm.TransposeB;
            string kernel = TensorCoreGemmKernels.Get(precision, edge, transposeA, transposeB).Name;
            var (m, n, k) = Problem(edge);
            if (gate.Allows(kernel, $"{m} x {n} x {k}", Tolerance, () => Difference(precision, edge, transposeA, transposeB)))
            {
                large = edge;
                return For(precision);
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => (portable as IDisposable)?.Dispose();

    // Partial tiles in every direction, more than a turn of the pipeline.
    private static (int M, int N, int K) Problem(bool large) => (TensorCoreGemmKernels.Edge(large) + 24, TensorCoreGemmKernels.Edge(large) + 16, 136);

    // The whole epilogue; in 16 bits once more with results, and one operand, stored so.
    private double Difference(Precision precision, bool large, bool transposeA, bool transposeB)
    {
        var (m, n, k) = Problem(large);
        var device = launcher.Device;
        float[] valuesB = Numbers(k * n, 2);
        using Tensor a = device.FromHost(Numbers(m * k, 1), new Shape(m * k)), b = device.FromHost(valuesB, new Shape(k * n));
        using Tensor bias = device.FromHost(Numbers(n, 3), new Shape(n)), residual = device.FromHost(Numbers(m * n, 4), new Shape(m * n));
        using Tensor expected = device.Empty(new Shape(m * n)), actual = device.Empty(new Shape(m * n)), before = device.Empty(new Shape(m * n));
        var gemm = new Gemm(m, n, k, a, b, expected)
        {
            TransposeA = transposeA,
            TransposeB = transposeB,
            Lda = transposeA ? m : k,
            Ldb = transposeB ? k : n,
            Alpha = 0.125f,
            Bias = bias,
            Activation = Activation.QuickGelu,
            PreActivation = before,
            Residual = residual,
        };
        portable.Run(gemm);
        float[] wanted = expected.ToArray(), wantedBefore = before.ToArray();
        For(precision).Run(gemm with { C = actual }, large);
        double difference = Math.Max(TensorCoreGate.Difference(wanted, actual.ToArray()), TensorCoreGate.Difference(wantedBefore, before.ToArray()));
        if (precision.HalfType() is not { } half)
        {
            return difference;
        }

        using Tensor storedB = device.FromHostRounded(valuesB, new Shape(k * n), half);
        using Tensor rounded = device.Empty(new Shape(m * n), half), roundedBefore = device.Empty(new Shape(m * n), half);
        For(precision).Run(gemm with { B = storedB, C = rounded, PreActivation = roundedBefore }, large);
        double stored = Math.Max(
            TensorCoreGate.Difference(wanted, Widened(rounded)), TensorCoreGate.Difference(wantedBefore, Widened(roundedBefore)));
        return stored <= RoundedTolerance ? difference : Math.Max(difference, stored);

        static float[] Widened(Tensor tensor)
        {
            var values = new float[tensor.Count];
            ElementConversion.ToFloat32(tensor.DType, MemoryMarshal.AsBytes(tensor.ToArray<ushort>().AsSpan()), values);
            return values;
        }
    }

    private TensorCoreMatMul For(Precision precision) => precision switch
    {
        Precision.Tf32 => _tf32,
        Precision.Fp16 => _fp16,
        _ => _bf16,
    };

    private static float[] Numbers(int count, ulong stream)
    {
        var random = new CounterRandom(4, stream);
        var values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (random.NextInt(65) - 32) / 32f;
        }

        return values;
    }
}
