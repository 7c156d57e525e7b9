using System.Reflection;

namespace Ldvc.Kernels.Gpu;

/// <summary>
/// A GPU kernel as it is written, independent of any device: a static method of one argument, a readonly struct, launched with an explicit group
/// size. <see cref="GpuKernelCatalog"/> lists them all; <see cref="GpuLauncher"/> compiles them.
/// </summary>
internal abstract class GpuKernel
{
    private static int s_count;

    private protected GpuKernel(string name, MethodInfo method, int groupSize)
    {
        (Name, Method, GroupSize) = (name, method, groupSize);
        Index = Interlocked.Increment(ref s_count) - 1;
    }

    /// <summary>How many kernels exist; indices are below it.</summary>
    internal static int Count => Volatile.Read(ref s_count);

    /// <summary>Family, operation and variant, e.g. "matmul.nt.128x128".</summary>
    internal string Name { get; }

    /// <summary>The family, the name's first part: the folder of src/Kernels that it lives in, in lower case.</summary>
    internal string Family => Name[..Name.IndexOf('.', StringComparison.Ordinal)];

    /// <summary>The method, closed if it is generic.</summary>
    internal MethodInfo Method { get; }

    /// <summary>Threads of a group (one dimension): the exact number, or with <see cref="AnyGroup"/> the largest.</summary>
    internal int GroupSize { get; }

    /// <summary>
    /// The kernel reads its group size and works with any power of two up to <see cref="GroupSize"/>: the simulator then runs one warp.
    /// </summary>
    internal bool AnyGroup { get; init; }

    /// <summary>Shared memory that the method declares, in bytes; a test compares it with the compiled kernel.</summary>
    internal int SharedBytes { get; init; }

    /// <summary>Shared memory that a launch asks for besides at most, in bytes.</summary>
    internal int DynamicSharedBytes { get; init; }

    /// <summary>Groups that should fit a multiprocessor at once: bounds the registers that the CUDA compiler may use; 0 leaves them to it.</summary>
    internal int GroupsPerMultiprocessor { get; init; }

    /// <summary>
    /// Registers that a thread may have on CUDA: a multiprocessor's 65536 shared out, in steps of 8, to as many threads as should fit it, and 255 at
    /// most.
    /// </summary>
    internal int MaxRegisters => Math.Min(255, (1 << 16) / (GroupSize * Math.Max(1, GroupsPerMultiprocessor)) / 8 * 8);

    /// <summary>The kernel exists for CUDA alone (intrinsics that other devices lack); the simulator runs it through their C# bodies.</summary>
    internal bool CudaOnly { get; init; }

    /// <summary>The kernel stands for one that exists for CUDA alone: no CUDA device runs it.</summary>
    internal bool OpenClOnly { get; init; }

    /// <summary>Position in a launcher's table.</summary>
    internal int Index { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>A kernel with the type of its argument.</summary>
/// <typeparam name="TArgs">A readonly struct of views, numbers and other such structs; no bool.</typeparam>
internal sealed class GpuKernel<TArgs>(string name, Action<TArgs> method, int groupSize) : GpuKernel(name, method.Method, groupSize)
    where TArgs : struct;
