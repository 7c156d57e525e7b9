using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Elementwise.Gpu;

/// <summary>The kernels of a function of one number.</summary>
internal static class GpuUnary<TFunction>
    where TFunction : struct, IUnaryFunction
{
    internal static readonly GpuKernel<ElementArgs> Forward = GpuElements.Define<UnaryElements<TFunction>>(TFunction.Name);
    internal static readonly GpuKernel<ElementArgs> Backward = typeof(TFunction) == typeof(Relu)
        ? GpuElements.Define<ReluSlopeElements>(TFunction.Name + "_backward")
        : GpuElements.Define<SlopeElements<TFunction>>(TFunction.Name + "_backward");
}

/// <summary>The kernels of a function of two numbers: dense operands, and operands that are repeated or permuted.</summary>
internal static class GpuBinary<TFunction>
    where TFunction : struct, IBinaryFunction
{
    internal static readonly GpuKernel<ElementArgs> Dense = GpuElements.Define<BinaryElements<TFunction>>(TFunction.Name);
    internal static readonly GpuKernel<StridedArgs> Strided =
        new($"elementwise.{TFunction.Name}.strided", GpuStrided.Run<TFunction>, ElementwisePlan.GpuThreads) { AnyGroup = true };
}

/// <summary>
/// Every function that has kernels: what <see cref="GpuKernelCatalog"/> cannot find by itself in generic classes. A new function is a new line.
/// </summary>
internal static class GpuFunctions
{
    internal static readonly GpuKernel[] All =
    [
        .. Unary<Exp>(), .. Unary<Log>(), .. Unary<Negate>(), .. Unary<Square>(), .. Unary<Sqrt>(), .. Unary<Sigmoid>(), .. Unary<Tanh>(),
        .. Unary<Relu>(), .. Unary<Gelu>(), .. Unary<QuickGelu>(),
        .. Binary<Add>(), .. Binary<Subtract>(), .. Binary<Multiply>(), .. Binary<Divide>(),
        .. Binary<Greater>(), .. Binary<GreaterOrEqual>(), .. Binary<Equal>(), .. Binary<NotEqual>(), .. Binary<Keep>(), .. Binary<Drop>(),
        .. Binary<First>(),
    ];

    private static GpuKernel[] Unary<TFunction>()
        where TFunction : struct, IUnaryFunction => [GpuUnary<TFunction>.Forward, GpuUnary<TFunction>.Backward];

    private static GpuKernel[] Binary<TFunction>()
        where TFunction : struct, IBinaryFunction => [GpuBinary<TFunction>.Dense, GpuBinary<TFunction>.Strided];
}
