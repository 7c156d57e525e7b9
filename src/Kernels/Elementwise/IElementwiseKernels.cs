using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Elementwise;

/// <summary>
/// Element by element; "accumulate" adds to the output instead of overwriting it. Outputs may be inputs, but for a layout that repeats or permutes
/// them.
/// </summary>
internal interface IElementwiseKernels
{
    /// <summary>y = a + b.</summary>
    void Add(View a, View b, View y, long count);

    /// <summary>y (+)= factor * x.</summary>
    void Scale(View x, float factor, View y, bool accumulate, long count);

    /// <summary>y = value everywhere.</summary>
    void Fill(View y, float value, long count);

    /// <summary>y = f(x).</summary>
    void Unary<TFunction>(View x, View y, long count)
        where TFunction : struct, IUnaryFunction;

    /// <summary>dx (+)= dy * f'(x), x being f(x) for functions whose slope is one of their result.</summary>
    void UnaryBackward<TFunction>(View x, View dy, View dx, bool accumulate, long count)
        where TFunction : struct, IUnaryFunction;

    /// <summary>y (+)= f(a, b), a and b lying as the layout says, y dense.</summary>
    void Binary<TFunction>(View a, View b, View y, bool accumulate, in BroadcastLayout layout)
        where TFunction : struct, IBinaryFunction;

    /// <summary>y (+)= min(e^s, limit) * x for s [1], which the host does not read.</summary>
    void ScaleByExp(View x, View s, float limit, View y, bool accumulate, long count);

    /// <summary>ds [1] (+)= sum of dy * y, y being <see cref="ScaleByExp"/>'s result; zero where the limit cut the factor.</summary>
    void ScaleByExpGradient(View dy, View y, View s, float limit, View ds, bool accumulate, long count);

    /// <summary>dx (+)= dy * activation'(x); x may be bf16 or fp16 on a GPU.</summary>
    void ActivateBackward(View x, View dy, View dx, Activation activation, bool accumulate, long count);

    /// <summary>
    /// y (+)= x * DropoutMask(key, first + i): zero with the given probability, scaled by 1 / (1 - p) otherwise. Its own backward. `first` is the
    /// place of x's first element in a larger tensor, whose mask the mask is a part of. With a block's length, each block of so many elements is
    /// dropped as if it were alone, the next one with the next key.
    /// </summary>
    void Dropout(View x, View y, float probability, DropoutKey key, bool accumulate, long count, long first = 0, long block = 0);

    /// <summary>bias gradient [columns] += column sums of dy [rows, columns], rows in order.</summary>
    void ColumnSums(View dy, View sums, int rows, int columns);

    /// <summary>
    /// The relationship descriptor's input (method.md 4): y [B, C, 2E] = [ t[c] * g[b] ; t[c] ] for t [C, E], g [B, E].
    /// </summary>
    void Relationship(View t, View g, View y, int batch, int classes, int width);

    /// <summary>Gradients of <see cref="Relationship"/>: dt, dg are added to; either may be absent.</summary>
    void RelationshipBackward(View t, View g, View dy, View dt, View dg, int batch, int classes, int width);
}
