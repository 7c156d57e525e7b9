using ILGPU;
using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Elementwise.Gpu;

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

    /// <summary>1 to add to y.</summary>
    internal int Accumulate { get; init; }

    /// <summary>Of dropout; any where nothing is dropped.</summary>
    internal GpuDropoutKey Key { get; init; }

    /// <summary>Elements that share a key, for the kernel of several keys.</summary>
    internal int Block { get; init; }

    /// <summary>Lower half of the place of the first element in the tensor that a dropout mask is drawn for.</summary>
    internal uint FirstLow { get; init; }

    /// <summary>Upper half of that place.</summary>
    internal uint FirstHigh { get; init; }

    internal uint Threshold { get; init; }

    internal ElementArgs With(View a, View b, View y, int vectors, int singles) => this with
    {
        A = a.GpuFloats,
        B = b.GpuFloats,
        Y = y.GpuFloats,
        Vectors = vectors,
        Singles = singles,
        Key = Key.State.IsValid ? Key : GpuDropoutKey.None(y.As(DType.Int32).GpuInts),
    };
}

/// <summary>What an element-wise kernel computes of one element.</summary>
internal interface IElementFunction
{
    static abstract float Apply(in ElementArgs args, float a, float b, int index);
}

internal readonly struct ScaleElements : IElementFunction
{
    public static float Apply(in ElementArgs args, float a, float b, int index) => args.Factor * a;
}

internal readonly struct FillElements : IElementFunction
{
    public static float Apply(in ElementArgs args, float a, float b, int index) => args.Factor;
}

internal readonly struct UnaryElements<TFunction> : IElementFunction
    where TFunction : struct, IUnaryFunction
{
    public static float Apply(in ElementArgs args, float a, float b, int index) => TFunction.Value(a);
}

internal readonly struct SlopeElements<TFunction> : IElementFunction
    where TFunction : struct, IUnaryFunction
{
    public static float Apply(in ElementArgs args, float a, float b, int index) => b * TFunction.Slope(a);
}

// As on the CPU: nothing of an infinity or a NaN comes back where nothing went through.
internal readonly struct ReluSlopeElements : IElementFunction
{
    public static float Apply(in ElementArgs args, float a, float b, int index) => a > 0f ? b : 0f;
}

internal readonly struct BinaryElements<TFunction> : IElementFunction
    where TFunction : struct, IBinaryFunction
{
    public static float Apply(in ElementArgs args, float a, float b, int index) => TFunction.Value(a, b);
}

internal readonly struct DropElements : IElementFunction
{
    public static float Apply(in ElementArgs args, float a, float b, int index) => Drop(args, a, 0, index);

    /// <summary>An element by its place in a block, which has a key of its own.</summary>
    internal static float Drop(in ElementArgs args, float a, int block, int place)
    {
        ulong key = GpuDropoutKey.Draw(args.Key, block), first = args.FirstLow | ((ulong)args.FirstHigh << 32);
        return a * DropoutMask.Factor(key, first + (ulong)place, args.Threshold, args.Factor);
    }
}

internal readonly struct DropBlocks : IElementFunction
{
    public static float Apply(in ElementArgs args, float a, float b, int index)
    {
        int block = index / args.Block;
        return DropElements.Drop(args, a, block, index - (block * args.Block));
    }
}

/// <summary>
/// One thread a group of four elements: neighbouring threads touch neighbouring 16 bytes, so a warp moves whole cache lines. Bytes per element: 4 for
/// each of a, b and y, and 4 more when y is added to; limited by memory.
/// </summary>
internal static class GpuElements
{
    internal static readonly GpuKernel<ElementArgs> Scale = Define<ScaleElements>("scale");
    internal static readonly GpuKernel<ElementArgs> Fill = Define<FillElements>("fill");
    internal static readonly GpuKernel<ElementArgs> Dropout = Define<DropElements>("dropout");
    internal static readonly GpuKernel<ElementArgs> DropoutBlocks = Define<DropBlocks>("dropout_blocks");

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

    internal static GpuKernel<ElementArgs> Define<TFunction>(string name)
        where TFunction : struct, IElementFunction => new("elementwise." + name, Run<TFunction>, ElementwisePlan.GpuThreads) { AnyGroup = true };
}
