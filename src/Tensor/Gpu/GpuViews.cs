using ILGPU;

namespace Ldvc.Tensors.Gpu;

/// <summary>What GPU kernels see of a <see cref="View"/>: memory from its first element to the block's end. Not for absent views.</summary>
internal static class GpuViews
{
    extension(View view)
    {
        /// <summary>The floats.</summary>
        internal ArrayView<float> GpuFloats => ((GpuStorage)view.Float32Storage).Elements<float>(view.Offset);

        /// <summary>The bf16 numbers.</summary>
        internal ArrayView<ushort> GpuBf16 => view.IsBf16
            ? ((GpuStorage)view.Storage).Elements<ushort>(view.Offset)
            : throw new InvalidOperationException($"a kernel expected bf16 numbers, got {view.Type}");

        /// <summary>The 32-bit integers.</summary>
        internal ArrayView<int> GpuInts => ((GpuStorage)view.Storage).Elements<int>(view.Offset);

        /// <summary>The bytes.</summary>
        internal ArrayView<byte> GpuBytes => ((GpuStorage)view.Storage).Elements<byte>(view.Offset);
    }
}
