using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace Ldvc.Tensors.Gpu;

/// <summary>What an error of a driver means.</summary>
internal static class GpuFault
{
    /// <summary>
    /// Whether an allocation failed for want of memory. A driver also reports there what went wrong before, in a kernel that reads foreign memory for
    /// one: that is no lack of memory, a smaller batch does not cure it, and it is passed on as it is.
    /// </summary>
    internal static bool IsOutOfMemory(Exception e) => e switch
    {
        OutOfMemoryException => true,
        CudaException cuda => cuda.Error == nameof(CudaError.CUDA_ERROR_OUT_OF_MEMORY),
        CLException cl => cl.Error is CLError.CL_MEM_OBJECT_ALLOCATION_FAILURE or CLError.CL_OUT_OF_HOST_MEMORY or CLError.CL_INVALID_BUFFER_SIZE,
        _ => false,
    };
}
