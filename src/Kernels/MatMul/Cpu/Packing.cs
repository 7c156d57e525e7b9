using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Ldvc.Tensors;

namespace Ldvc.Kernels.MatMul.Cpu;

/// <summary>Copies of matrix blocks into the order in which the micro-kernel reads them: for each k, `width` values side by side.</summary>
internal static unsafe class Packing
{
    /// <summary>Source rows run along k's neighbours already: row k holds the panel's values. Missing ones become zero.</summary>
    internal static void Copy(float* source, int stride, int count, int kc, float* target, int width)
    {
        for (int k = 0; k < kc; k++)
        {
            float* from = source + ((long)k * stride);
            float* to = target + ((long)k * width);
            int j = 0;
            for (; j + 4 <= count; j += 4)
            {
                Vector128.Store(Vector128.Load(from + j), to + j);
            }

            for (; j < count; j++)
            {
                to[j] = from[j];
            }

            for (; j < width; j++)
            {
                to[j] = 0;
            }
        }
    }

    /// <summary>
    /// From a weight that is kept in panels (<see cref="Ldvc.Tensors.PanelLayout"/>) to panels of its other dimension: value (k, j) is the weight's
    /// element (k0 + k, column + j). Squares of one panel's width lie together on both sides.
    /// </summary>
    internal static void FromPanels(float* panels, int rowLength, int k0, int kc, int column, int count, float* target, int width)
    {
        const int edge = PanelLayout.Width;
        for (int k = 0; k < kc;)
        {
            int at = k0 + k, run = Math.Min(edge - (at % edge), kc - k);
            Interleave(
                panels + ((long)(at / edge) * edge * rowLength) + ((long)column * edge) + (at % edge),
                edge,
                count,
                run,
                target + ((long)k * width),
                width);
            k += run;
        }
    }

    /// <summary>Source rows run along k: value (k, j) is source[j * stride + k]; transposed in 4 x 4 blocks where the machine can.</summary>
    internal static void Interleave(float* source, int stride, int count, int kc, float* target, int width)
    {
        int j = 0;
        if (Sse.IsSupported)
        {
            for (; j + 4 <= count; j += 4)
            {
                float* r0 = source + ((long)j * stride);
                float* r1 = r0 + stride;
                float* r2 = r1 + stride;
                float* r3 = r2 + stride;
                float* to = target + j;
                int k = 0;
                for (; k + 4 <= kc; k += 4, to += 4 * width)
                {
                    var v0 = Vector128.Load(r0 + k);
                    var v1 = Vector128.Load(r1 + k);
                    var v2 = Vector128.Load(r2 + k);
                    var v3 = Vector128.Load(r3 + k);
                    var low01 = Sse.UnpackLow(v0, v1);
                    var high01 = Sse.UnpackHigh(v0, v1);
                    var low23 = Sse.UnpackLow(v2, v3);
                    var high23 = Sse.UnpackHigh(v2, v3);
                    Sse.MoveLowToHigh(low01, low23).Store(to);
                    Sse.MoveHighToLow(low23, low01).Store(to + width);
                    Sse.MoveLowToHigh(high01, high23).Store(to + (2 * width));
                    Sse.MoveHighToLow(high23, high01).Store(to + (3 * width));
                }

                for (; k < kc; k++, to += width)
                {
                    to[0] = r0[k];
                    to[1] = r1[k];
                    to[2] = r2[k];
                    to[3] = r3[k];
                }
            }
        }

        for (; j < count; j++)
        {
            float* row = source + ((long)j * stride);
            for (int k = 0; k < kc; k++)
            {
                target[((long)k * width) + j] = row[k];
            }
        }

        for (; j < width; j++)
        {
            for (int k = 0; k < kc; k++)
            {
                target[((long)k * width) + j] = 0;
            }
        }
    }
}
