using Ldvc.Kernels;
using Ldvc.Kernels.Attention;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Kernels;

/// <summary>Attention and its gradients written out in float64 on contiguous [B, N, H * D] data.</summary>
internal sealed class AttentionReference
{
    internal AttentionReference(AttentionSizes s, float[] q, float[] k, float[] v, float[] dOut, Func<int, int, int, bool> visible)
    {
        int width = s.Heads * s.HeadDim, d = s.HeadDim;
        O = new double[s.Batch * s.Queries * width];
        LogSumExp = new double[s.Batch * s.Heads * s.Queries];
        Dq = new double[O.Length];
        Dk = new double[s.Batch * s.Keys * width];
        Dv = new double[Dk.Length];
        for (int b = 0; b < s.Batch; b++)
        {
            for (int h = 0; h < s.Heads; h++)
            {
                for (int i = 0; i < s.Queries; i++)
                {
                    int query = (((b * s.Queries) + i) * width) + (h * d), row = (((b * s.Heads) + h) * s.Queries) + i;
                    var p = new double[s.Keys];
                    double sum = 0;
                    for (int j = 0; j < s.Keys; j++)
                    {
                        if (visible(b, i, j))
                        {
                            int key = (((b * s.Keys) + j) * width) + (h * d);
                            double dot = 0;
                            for (int c = 0; c < d; c++)
                            {
                                dot += (double)q[query + c] * k[key + c];
                            }

                            p[j] = Math.Exp(dot * s.Scale);
                            sum += p[j];
                        }
                    }

                    LogSumExp[row] = Math.Log(sum);
                    var mask = new double[s.Keys];
                    var gradient = new double[s.Keys];
                    double delta = 0;
                    for (int j = 0; j < s.Keys; j++)
                    {
                        p[j] /= sum;
                        mask[j] = s.Dropout > 0
                            ? DropoutMask.Factor(
                                s.DropoutKey.Value,
                                s.DropoutFirst + ((ulong)row * (ulong)s.Keys) + (ulong)j,
                                DropoutMask.Threshold(s.Dropout),
                                1f / (1f - s.Dropout))
                            : 1;
                        int key = (((b * s.Keys) + j) * width) + (h * d);
                        for (int c = 0; c < d; c++)
                        {
                            O[query + c] += p[j] * mask[j] * v[key + c];
                            Dv[key + c] += p[j] * mask[j] * dOut[query + c];
                            gradient[j] += mask[j] * dOut[query + c] * v[key + c];
                        }

                        delta += p[j] * gradient[j];
                    }

                    for (int j = 0; j < s.Keys; j++)
                    {
                        double ds = p[j] * (gradient[j] - delta) * s.Scale;
                        int key = (((b * s.Keys) + j) * width) + (h * d);
                        for (int c = 0; c < d; c++)
                        {
                            Dq[query + c] += ds * k[key + c];
                            Dk[key + c] += ds * q[query + c];
                        }
                    }
                }
            }
        }
    }

    internal double[] O { get; }

    internal double[] LogSumExp { get; }

    internal double[] Dq { get; }

    internal double[] Dk { get; }

    internal double[] Dv { get; }

    internal static float[] Random(int count, ulong stream, double deviation = 1)
    {
        var random = new CounterRandom(20, stream);
        var values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (float)(deviation * random.NextNormal());
        }

        return values;
    }

    /// <summary>Largest difference relative to the larger of the expected tensor's largest value and a floor.</summary>
    internal static void Close(double[] expected, float[] actual, double tolerance, string what, double floor = 0)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = floor, worst = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(float.IsFinite(actual[i]), $"{what}[{i}] is {actual[i]}");
            largest = Math.Max(largest, Math.Abs(expected[i]));
            worst = Math.Max(worst, Math.Abs(expected[i] - actual[i]));
        }

        Assert.True(
            worst <= tolerance * largest, $"{what}: difference {worst:e2} of {largest:e2}, relative {worst / largest:e2}, allowed {tolerance:e1}");
    }
}
