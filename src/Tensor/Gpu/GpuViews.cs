using ILGPU;

namespace Ldvc.Tensors.Gpu;

/// <summary>What GPU kernels see of a <see cref="View"/>: memory from its first element to the block's end. Not for absent views.</summary>
internal static class GpuViews
{
    extension(View view)
    {
        /// <summary>The floats.</summary>
        internal ArrayView<float> GpuFloats => Of(view, DType.Float32).Elements<float>(view.Offset);

        /// <summary>The bits of bf16 or fp16 numbers.</summary>
        internal ArrayView<ushort> GpuHalves => Of(view, view.Type == DType.Float16 ? DType.Float16 : DType.BFloat16).Elements<ushort>(view.Offset);

        /// <summary>The 32-bit integers.</summary>
        internal ArrayView<int> GpuInts => Of(view, DType.Int32).Elements<int>(view.Offset);

        /// <summary>The bytes.</summary>
        internal ArrayView<byte> GpuBytes => Of(view, DType.UInt8).Elements<byte>(view.Offset);
    }

    private static GpuStorage Of(View view, DType type)
    {
        if (view.Type != type || view.Storage is not GpuStorage storage)
        {
            throw view.Misread(type, "a GPU");
        }

        storage.Gpu.Capture?.Touch(storage);
        return storage;
    }
}
