using Ldvc.Tensors;

namespace Ldvc.Kernels.Elementwise;

/// <summary>Element by element; "accumulate" adds to the output instead of overwriting it. Outputs may be inputs.</summary>
internal interface IElementwiseKernels
{
    /// <summary>y = a + b.</summary>
    void Add(View a, View b, View y, long count);

    /// <summary>y (+)= factor * x.</summary>
    void Scale(View x, float factor, View y, bool accumulate, long count);

    /// <summary>y (+)= min(e^s, limit) * x for s [1], which the host does not read.</summary>
    void ScaleByExp(View x, View s, float limit, View y, bool accumulate, long count);

    /// <summary>ds [1] (+)= sum of dy * y, y being <see cref="ScaleByExp"/>'s result; zero where the limit cut the factor.</summary>
    void ScaleByExpGradient(View dy, View y, View s, float limit, View ds, bool accumulate, long count);

    /// <summary>y (+)= a * b.</summary>
    void Multiply(View a, View b, View y, bool accumulate, long count);

    /// <summary>y = activation(x).</summary>
    void Activate(View x, View y, Activation activation, long count);

    /// <summary>dx (+)= dy * activation'(x).</summary>
    void ActivateBackward(View x, View dy, View dx, Activation activation, bool accumulate, long count);

    /// <summary>y (+)= x * DropoutMask(key, i): zero with the given probability, scaled by 1 / (1 - p) otherwise. Its own backward.</summary>
    void Dropout(View x, View y, float probability, ulong key, bool accumulate, long count);

    /// <summary>bias gradient [columns] += column sums of dy [rows, columns], rows in order.</summary>
    void ColumnSums(View dy, View sums, int rows, int columns);

    /// <summary>
    /// The relationship descriptor's input (method.md 4): y [B, C, 2E] = [ t[c] * g[b] ; t[c] ] for t [C, E], g [B, E].
    /// </summary>
    void Relationship(View t, View g, View y, int batch, int classes, int width);

    /// <summary>Gradients of <see cref="Relationship"/>: dt, dg are added to; either may be absent.</summary>
    void RelationshipBackward(View t, View g, View dy, View dt, View dg, int batch, int classes, int width);
}
