using ILGPU;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.Gpu;

/// <summary>Instructions that C# has no name for, told to an ILGPU context before any kernel is compiled in it.</summary>
internal static class GpuIntrinsics
{
    internal static void Register(Context context) => IntrinsicTable.Register(context);
}
