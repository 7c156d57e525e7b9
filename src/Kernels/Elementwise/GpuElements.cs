using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Elementwise;

/// <summary>Arguments of every element-wise kernel: y (+)= f(a, b).</summary>
internal readonly struct ElementArgs
{
    internal ArrayView<float> A { get; init; }

    internal ArrayView<float> B { get; init; }

    internal ArrayView<float> Y { get; init; }

    /// <summary>Groups of four elements; the rest, or everything when an address is no multiple of 16 bytes, goes one by one.</summary>
    internal int Vectors { get; init; }

    internal int Singles { get; init; }

    internal float Factor { get; init; }

    internal int Activation { get; init; }

    /// <summary>1 to add to y.</summary>
    internal int Accumulate { get; init; }

    internal uint KeyLow { get; init; }

    internal uint KeyHigh { get; init; }

    internal uint Threshold { get; init; }

    internal ElementArgs With(View a, View b, View y, int vectors, int singles) =>
        this with { A = a.GpuFloats, B = b.GpuFloats, Y = y.GpuFloats, Vectors = vectors, Singles = singles };
}

/// <summary>What an element-wise kernel computes of one element.</summary>
internal interface IElementFunction
{
    static abstract float Apply(in ElementArgs args, float a, float b, int index);
}

internal readonly struct AddElements : IElementFunction
{
    public static float Apply(in ElementArgs args, float a, float b, int index) => a + b;
}

internal readonly struct ScaleElements : IElementFunction
{
    public static float Apply(in ElementArgs args, float a, float b, int index) => args.Factor * a;
}

internal readonly struct MultiplyElements : IElementFunction
{
    public static float Apply(in ElementArgs args, float a, float b, int index) => a * b;
}

internal readonly struct ActivateElements : IElementFunction
{
    public static float Apply(in ElementArgs args, float a, float b, int index) => GpuMath.Activate(a, args.Activation);
}

internal readonly struct ActivationGradient : IElementFunction
{
    public static float Apply(in ElementArgs args, float a, float b, int index) => b * GpuMath.Derivative(a, args.Activation);
}

internal readonly struct DropElements : IElementFunction
{
    public static float Apply(in ElementArgs args, float a, float b, int index) =>
        a * DropoutMask.Factor(args.KeyLow | ((ulong)args.KeyHigh << 32), (ulong)index, args.Threshold, args.Factor);
}

/// <summary>
/// One thread a group of four elements: neighbouring threads touch neighbouring 16 bytes, so a warp moves whole cache lines. Bytes per element: 4 for
/// each of a, b and y, and 4 more when y is added to; limited by memory.
/// </summary>
internal static class GpuElements
{
    internal const int GroupSize = 256;

    internal static readonly GpuKernel<ElementArgs> Add = Define<AddElements>("add");
    internal static readonly GpuKernel<ElementArgs> Scale = Define<ScaleElements>("scale");
    internal static readonly GpuKernel<ElementArgs> Multiply = Define<MultiplyElements>("multiply");
    internal static readonly GpuKernel<ElementArgs> Activate = Define<ActivateElements>("activate");
    internal static readonly GpuKernel<ElementArgs> ActivateBackward = Define<ActivationGradient>("activate_backward");
    internal static readonly GpuKernel<ElementArgs> Dropout = Define<DropElements>("dropout");

    internal static void Run<TFunction>(ElementArgs args)
        where TFunction : struct, IElementFunction
    {
        int item = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (item < args.Vectors)
        {
            var a = args.A.Cast<Float4>()[item];
            var b = args.B.Cast<Float4>()[item];
            int first = 4 * item;
            var value = new Float4(
                TFunction.Apply(args, a.X, b.X, first), TFunction.Apply(args, a.Y, b.Y, first + 1),
                TFunction.Apply(args, a.Z, b.Z, first + 2), TFunction.Apply(args, a.W, b.W, first + 3));
            if (args.Accumulate != 0)
            {
                var before = args.Y.Cast<Float4>()[item];
                value = new Float4(before.X + value.X, before.Y + value.Y, before.Z + value.Z, before.W + value.W);
            }

            args.Y.Cast<Float4>()[item] = value;
        }
        else if (item < args.Vectors + args.Singles)
        {
            int i = (3 * args.Vectors) + item;
            float value = TFunction.Apply(args, args.A[i], args.B[i], i);
            args.Y[i] = args.Accumulate != 0 ? args.Y[i] + value : value;
        }
    }

    private static GpuKernel<ElementArgs> Define<TFunction>(string name)
        where TFunction : struct, IElementFunction => new("elementwise." + name, Run<TFunction>, GroupSize) { AnyGroup = true };
}
