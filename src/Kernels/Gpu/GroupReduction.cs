using ILGPU;

namespace Ldvc.Kernels.Gpu;

/// <summary>
/// Reductions over a group through shared memory, for devices without warp shuffles: 16 threads sum a sixteenth of the values each, then every thread
/// sums the 16. Two barriers a reduction, a fixed order, every thread gets the result, and the same memory may be used again at once. Groups of 16
/// threads and more; every thread of the group must call.
/// </summary>
internal static class GroupReduction
{
    private const int Parts = GpuPlan.ReductionParts;

    /// <summary>Shared floats that a reduction needs for groups of up to <paramref name="groupSize"/> threads.</summary>
    internal static int Floats(int groupSize) => groupSize + Parts;

    internal static float Sum(ArrayView<float> shared, float value)
    {
        int thread = Group.IdxX, size = Group.DimX;
        shared[Parts + thread] = value;
        Group.Barrier();
        if (thread < Parts)
        {
            float sum = 0f;
            for (int i = thread; i < size; i += Parts)
            {
                sum += shared[Parts + i];
            }

            shared[thread] = sum;
        }

        Group.Barrier();
        float total = shared[0];
        for (int i = 1; i < Parts; i++)
        {
            total += shared[i];
        }

        return total;
    }

    internal static float Max(ArrayView<float> shared, float value)
    {
        int thread = Group.IdxX, size = Group.DimX;
        shared[Parts + thread] = value;
        Group.Barrier();
        if (thread < Parts)
        {
            float max = shared[Parts + thread];
            for (int i = thread + Parts; i < size; i += Parts)
            {
                max = MathF.Max(max, shared[Parts + i]);
            }

            shared[thread] = max;
        }

        Group.Barrier();
        float largest = shared[0];
        for (int i = 1; i < Parts; i++)
        {
            largest = MathF.Max(largest, shared[i]);
        }

        return largest;
    }
}
