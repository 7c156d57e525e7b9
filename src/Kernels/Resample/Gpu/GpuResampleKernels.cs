using ILGPU;

namespace Ldvc.Kernels.Resample.Gpu;

/// <summary>
/// Arguments of bilinear resizing: x and dx are [Planes, Rows.Input, Columns.Input], y and dy [Planes, Rows.Output, Columns.Output].
/// </summary>
internal readonly struct GpuResampleArguments(
    ArrayView<float> input, ArrayView<float> output, int planes, GpuBilinearAxis rows, GpuBilinearAxis columns, int accumulate)
{
    internal readonly ArrayView<float> Input = input;
    internal readonly ArrayView<float> Output = output;
    internal readonly int Planes = planes;
    internal readonly GpuBilinearAxis Rows = rows;
    internal readonly GpuBilinearAxis Columns = columns;
    internal readonly int Accumulate = accumulate;
}

/// <summary>Bilinear resizing: a thread an output forward; backward, a group sums the output rows of one input row, then the columns.</summary>
internal static class GpuResampleKernels
{
    private const int Threads = ResamplePlan.GpuThreads;

    /// <summary>Shared memory of <see cref="Backward"/>.</summary>
    internal const int SharedBytes = (Threads + (Threads / 16)) * sizeof(float);

    internal static void Forward(GpuResampleArguments a)
    {
        int index = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (index >= a.Planes * a.Rows.Output * a.Columns.Output)
        {
            return;
        }

        int line = index / a.Columns.Output, column = index - (line * a.Columns.Output);
        int plane = line / a.Rows.Output, row = line - (plane * a.Rows.Output);
        int first = GpuBilinear.First(a.Rows, row, out float down), left = GpuBilinear.First(a.Columns, column, out float across);
        int right = GpuBilinear.Second(a.Columns, left), start = plane * a.Rows.Input;
        float lower = GpuBilinear.Stretch(a.Input, (start + first) * a.Columns.Input, left, right, across);
        float upper = GpuBilinear.Stretch(a.Input, (start + GpuBilinear.Second(a.Rows, first)) * a.Columns.Input, left, right, across);
        a.Output[index] = lower + (down * (upper - lower));
    }

    internal static void Backward(GpuResampleArguments a)
    {
        var strip = SharedMemory.Allocate<float>(Threads + (Threads / 16));
        int plane = Grid.IdxX / a.Rows.Input, row = Grid.IdxX - (plane * a.Rows.Input);
        int begin = GpuBilinear.Begin(a.Rows, row - 1), end = GpuBilinear.Begin(a.Rows, row + 1);
        for (int start = 0; start < a.Columns.Output; start += Group.DimX)
        {
            int column = start + Group.IdxX;
            float sum = 0;
            if (column < a.Columns.Output)
            {
                for (int i = begin; i < end; i++)
                {
                    int first = GpuBilinear.First(a.Rows, i, out float weight);
                    sum += a.Output[(((plane * a.Rows.Output) + i) * a.Columns.Output) + column] * GpuBilinear.Share(a.Rows, row, first, weight);
                }
            }

            strip[GpuBilinear.Place(Group.IdxX)] = sum;
            Group.Barrier();
            int stripEnd = start + Group.DimX < a.Columns.Output ? start + Group.DimX : a.Columns.Output;
            for (int input = Group.IdxX; input < a.Columns.Input; input += Group.DimX)
            {
                int at = (((plane * a.Rows.Input) + row) * a.Columns.Input) + input;
                float value = GpuBilinear.Gather(a.Columns, input, strip, 0, start, stripEnd);
                a.Input[at] = start > 0 || a.Accumulate != 0 ? a.Input[at] + value : value;
            }

            Group.Barrier();
        }
    }
}
