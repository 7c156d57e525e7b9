using Ldvc.Kernels.Attention;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Queries, keys or values: one of some equal column blocks [B, N, D] of a variable [B, N, Of D].</summary>
/// <param name="Owner">The variable.</param>
/// <param name="Index">Which block.</param>
/// <param name="Of">How many there are.</param>
internal readonly record struct TokenPart(Variable Owner, int Index = 0, int Of = 1)
{
    /// <summary>D.</summary>
    internal int Width => Owner.Shape[2] / Of;

    /// <summary>The block's rows in a tensor that is laid out like the variable.</summary>
    internal TokenRows In(Tensor tensor)
    {
        int row = tensor.Shape[2];
        return new TokenRows(tensor.View.Shift(Index * Width), (long)tensor.Shape[1] * row, row);
    }

    /// <summary>Adds each gradient to its variable, one that several parts share once.</summary>
    internal static void AddGradients(params ReadOnlySpan<(TokenPart Part, Tensor Gradient)> parts)
    {
        for (int i = 0; i < parts.Length; i++)
        {
            var (part, gradient) = parts[i];
            bool added = false;
            for (int j = 0; j < i; j++)
            {
                added |= part.Of > 1 && ReferenceEquals(parts[j].Part.Owner, part.Owner);
            }

            if (!added && part.Owner.RequiresGradient)
            {
                part.Owner.AddGradient(gradient);
            }
        }
    }

    /// <summary>Memory for the gradient: that of another part of the same variable where it has some.</summary>
    internal Tensor Gradient(Device device, params ReadOnlySpan<(TokenPart Part, Tensor Gradient)> others)
    {
        foreach (var (part, gradient) in others)
        {
            if (Of > 1 && ReferenceEquals(part.Owner, Owner))
            {
                return gradient.Share();
            }
        }

        return device.Empty(Owner.Shape);
    }
}
