namespace Ldvc.Kernels.Gpu;

/// <summary>A launch as a recorder gets it: the grid in groups, dynamic shared memory, and the kernel's argument.</summary>
internal sealed record GpuLaunch(GpuKernel Kernel, int GridX, int GridY, int GridZ, int DynamicSharedBytes, object Arguments);
