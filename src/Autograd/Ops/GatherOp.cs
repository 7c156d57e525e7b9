using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Rows of a table by index: token embedding, and reading the feature at the EOT position.</summary>
public static class GatherOp
{
    /// <summary>table [..., D] seen as rows of D, indices (host) of any number -> [outer..., D].</summary>
    public static Variable Gather(this Tape tape, Variable table, ReadOnlySpan<int> indices, params ReadOnlySpan<int> outer)
    {
        int columns = table.Shape[-1];
        long rows = table.Value.Count / columns;
        foreach (int index in indices)
        {
            if (index < 0 || index >= rows)
            {
                throw new ArgumentException($"gather: index {index} is outside the {rows} rows of {table.Shape}");
            }
        }

        Span<int> sizes = stackalloc int[outer.Length + 1];
        outer.CopyTo(sizes);
        sizes[^1] = columns;
        var y = tape.Device.Empty(new Shape(sizes));
        if (y.Count != (long)indices.Length * columns)
        {
            throw new ArgumentException($"gather: {indices.Length} indices do not give {y.Shape}");
        }

        var at = tape.Device.FromHost(indices, new Shape(indices.Length));
        tape.Kernels.Tokens.Gather(table.Value, at, y, indices.Length, columns);
        var result = tape.Result(y, table);
        if (result.RequiresGradient)
        {
            tape.Record(new GatherNode(result, table, at, indices.Length, columns));
        }
        else
        {
            at.Dispose();
        }

        return result;
    }

    private sealed class GatherNode : Node
    {
        private readonly Variable _table;
        private readonly Tensor _indices;
        private readonly int _count;
        private readonly int _columns;

        internal GatherNode(Variable output, Variable table, Tensor indices, int count, int columns)
            : base(output)
        {
            (_table, _count, _columns) = (table, count, columns);
            _indices = Own(indices);
        }

        internal override void Backward(KernelSet kernels, Tensor dy) => kernels.Tokens.ScatterAdd(dy, _indices, _table.GradientSum(), _count, _columns);
    }
}
