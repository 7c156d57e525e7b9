namespace Ldvc.Tensors.Gpu;

/// <summary>What runs the GPU kernels.</summary>
public enum GpuKind
{
    /// <summary>NVIDIA's driver.</summary>
    Cuda,

    /// <summary>Any OpenCL 2 device, a CPU runtime such as PoCL included.</summary>
    OpenCl,

    /// <summary>ILGPU's CPU accelerator, one thread a lane: for tests of tiny shapes.</summary>
    Simulator,
}
