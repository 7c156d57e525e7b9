using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.MatMul;

/// <summary>Matrix products of a GPU: on the tensor cores where <see cref="TensorCoreChoice"/> says so and the first-use check has passed.</summary>
internal sealed class CheckedMatMul(GpuLauncher launcher, TensorCoreGate gate, IMatMulKernels portable) : IMatMulKernels, IDisposable
{
    // Inputs that bf16 holds exactly: only the order of float32 sums is left to differ.
    private const double Tolerance = 1e-5;

    private readonly TensorCoreMatMul _tensorCores = new(launcher);

    /// <inheritdoc/>
    public void Run(in Gemm gemm)
    {
        if (TensorCoreChoice.Takes(launcher.Device, gemm))
        {
            bool large = TensorCoreGemmKernels.TakesLarge(gemm.M, gemm.N, gemm.Batch, launcher.Device.Accelerator.NumMultiprocessors);
            bool transposeA = gemm.TransposeA, transposeB = gemm.TransposeB;
            string kernel = TensorCoreGemmKernels.Get(large, transposeA, transposeB).Name;
            if (gate.Allows(kernel, Tolerance, () => Difference(large, transposeA, transposeB)))
            {
                _tensorCores.Run(gemm, large);
                return;
            }
        }

        portable.Run(gemm);
    }

    /// <inheritdoc/>
    public void Dispose() => (portable as IDisposable)?.Dispose();

    // A problem with partial tiles in every direction, more than a turn of the pipeline, and the whole epilogue.
    private double Difference(bool large, bool transposeA, bool transposeB)
    {
        int m = TensorCoreGemmKernels.Edge(large) + 24, n = TensorCoreGemmKernels.Edge(large) + 20, k = 136;
        var device = launcher.Device;
        using Tensor a = Numbers(m * k, 1), b = Numbers(k * n, 2), bias = Numbers(n, 3), residual = Numbers(m * n, 4);
        using Tensor expected = device.Empty(new Shape(m * n)), actual = device.Empty(new Shape(m * n));
        var gemm = new Gemm(m, n, k, a, b, expected)
        {
            TransposeA = transposeA,
            TransposeB = transposeB,
            Lda = transposeA ? m : k,
            Ldb = transposeB ? k : n,
            Alpha = 0.125f,
            Bias = bias,
            Activation = Activation.QuickGelu,
            Residual = residual,
        };
        portable.Run(gemm);
        _tensorCores.Run(gemm with { C = actual }, large);
        return TensorCoreGate.Difference(expected.ToArray(), actual.ToArray());

        Tensor Numbers(int count, ulong stream)
        {
            var random = new CounterRandom(4, stream);
            var values = new float[count];
            for (int i = 0; i < count; i++)
            {
                values[i] = (random.NextInt(65) - 32) / 32f;
            }

            return device.FromHost(values, new Shape(count));
        }
    }
}
