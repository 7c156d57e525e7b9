using ILGPU;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.Gpu;

/// <summary>
/// How a launch finds the gradient scale (<see cref="GradientScaling"/>) of all numbers that its threads have seen: groups join their largest in a
/// word on the device, and the one that comes last makes the scale of it. The largest of some numbers is the same in every order.
/// </summary>
internal readonly struct ScaleOfGrid
{
    private const int MaxThreads = 256;

    /// <summary>The bits of the largest absolute value, and how many groups are done; zeros between launches.</summary>
    private ArrayView<int> Words { get; init; }

    /// <summary>Two floats: the scale and its inverse.</summary>
    private ArrayView<float> Scale { get; init; }

    /// <summary>Whether groups can join on a device: the OpenCL code that ILGPU writes for atomics does not compile.</summary>
    internal static bool Works(GpuLauncher launcher) => launcher.Device.Kind != GpuKind.OpenCl;

    internal static ScaleOfGrid Of(GpuLauncher launcher, View scale) =>
        new() { Words = launcher.Half.Largest.GpuInts, Scale = scale.GpuFloats };

    /// <summary>For kernels that find no scale but take the same argument: any memory.</summary>
    internal static ScaleOfGrid None(View any) => new() { Words = any.As(DType.Int32).GpuInts, Scale = any.GpuFloats };

    /// <summary>
    /// The bits of the larger of an absolute value, given by its bits, and a number's: they order as the numbers do, infinity above every number and
    /// NaN above infinity.
    /// </summary>
    internal static int Larger(int largest, float x) => IntrinsicMath.Max(largest, (int)(Interop.FloatAsInt(x) & 0x7FFFFFFFu));

    /// <summary>The largest of a group of at most 256 threads, a power of two; all of them call it.</summary>
    internal static int OfGroup(int largest)
    {
        var shared = SharedMemory.Allocate1D<int>(MaxThreads);
        int thread = Group.IdxX;
        shared[thread] = largest;
        for (int half = Group.DimX / 2; half > 0; half /= 2)
        {
            Group.Barrier();
            if (thread < half)
            {
                shared[thread] = IntrinsicMath.Max(shared[thread], shared[thread + half]);
            }
        }

        Group.Barrier();
        return shared[0];
    }

    /// <summary>The scale for a largest absolute value, given by its bits, and its inverse.</summary>
    internal static void Write(ArrayView<float> scale, int largest)
    {
        int exponent = GradientScaling.Exponent(largest);
        scale[0] = Interop.IntAsFloat((uint)(exponent << 23));
        scale[1] = Interop.IntAsFloat((uint)(GradientScaling.Inverse(exponent) << 23));
    }

    /// <summary>Ends a kernel: every thread of the grid calls it, with what it has seen (<see cref="OfGroup"/>).</summary>
    internal void Finish(int largest)
    {
        largest = OfGroup(largest);
        if (Group.IdxX == 0)
        {
            Atomic.Max(ref Words[0], largest);

            // A group that is counted has joined.
            MemoryFence.DeviceLevel();
            if (OfThread(Atomic.Add(ref Words[1], 1)) == Grid.DimX - 1)
            {
                MemoryFence.DeviceLevel();
                Write(Scale, OfThread(Atomic.Exchange(ref Words[0], 0)));
                Atomic.Exchange(ref Words[1], 0);
            }
        }
    }

    // The same value, which ILGPU does not take for the warp's any more (Fp16.OfThread).
    private static int OfThread(int value) => value | (Warp.LaneIdx >> 5);
}
