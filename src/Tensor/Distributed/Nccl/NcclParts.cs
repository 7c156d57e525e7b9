namespace Ldvc.Tensors.Distributed.Nccl;

/// <summary>Where NCCL's group finds what it needs; tests put a library of their own in.</summary>
/// <param name="NcclFiles">File names of NCCL.</param>
/// <param name="CudaFiles">File names of the CUDA driver.</param>
/// <param name="Card">The card of a device; null when it is none of CUDA's.</param>
internal sealed record NcclParts(string[] NcclFiles, string[] CudaFiles, Func<Device, CudaCard?> Card)
{
    /// <summary>What the machine has.</summary>
    internal static NcclParts OfMachine(Func<string, string?> variable) => new(NcclLibrary.Files(variable), CudaDriver.Files, CudaCard.Of);
}
