using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Ldvc.Kernels.Gpu;

/// <summary>
/// Compiles kernels to PTX in a context, with a device or without one. ILGPU's own back end of a device takes down which instructions exist when the
/// device is opened, before ours are told to the context; so CUDA devices compile through this one, and what they run is what the tests read.
/// </summary>
internal sealed class PtxBuilder : IDisposable
{
    private readonly PTXBackend _backend;

    /// <summary>
    /// A compiler for the architecture of a card, or for the newest that ILGPU writes (sm_80) where the card is newer: it runs that.
    /// </summary>
    internal PtxBuilder(Context context, CudaArchitecture card, CudaInstructionSet driver)
    {
        GpuIntrinsics.Register(context);
        var architecture = card < CudaArchitecture.SM_80 ? card : CudaArchitecture.SM_80;
        var instructions = driver < CudaInstructionSet.ISA_80 ? driver : CudaInstructionSet.ISA_80;
        _backend = new PTXBackend(context, new CudaCapabilityContext(architecture), architecture, instructions, null!);
    }

    internal CompiledKernel Compile(GpuKernel kernel)
    {
        int? groups = kernel.GroupsPerMultiprocessor > 0 ? kernel.GroupsPerMultiprocessor : null;
        return _backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel.Method), new KernelSpecialization(kernel.GroupSize, groups));
    }

    /// <inheritdoc/>
    public void Dispose() => _backend.Dispose();
}
