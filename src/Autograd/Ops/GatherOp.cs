using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Rows of a table by index: token embedding, and reading the feature at the EOT position.</summary>
public static class GatherOp
{
    private const string Name = "gather";

    /// <summary>table [..., D] seen as rows of D, indices (host) of any number -> [outer..., D].</summary>
    public static Variable Gather(this Tape tape, Variable table, ReadOnlySpan<int> indices, params ReadOnlySpan<int> outer)
    {
        var shape = Guard.Floats(tape, Name, table);
        int rows = Guard.Rows(Name, shape, nameof(table)), columns = shape[-1];
        Guard.Indices(Name, indices, rows, shape);
        if (outer.Length >= Shape.MaxRank)
        {
            throw new ArgumentException($"{Name}: outer must have at most {Shape.MaxRank - 1} dimensions, got {outer.Length} (table {shape})");
        }

        Span<int> sizes = stackalloc int[outer.Length + 1];
        outer.CopyTo(sizes);
        sizes[^1] = columns;
        var result = Guard.Sizes(Name, sizes, shape, "outer");
        if (result.Count != (long)indices.Length * columns)
        {
            throw new ArgumentException($"{Name}: {indices.Length} indices of table {shape} do not give {result}");
        }

        var y = Guard.Result(tape, Name, result);
        var at = tape.Rent(indices, new Shape(indices.Length));
        tape.Kernels.Tokens.Gather(table.Value, at, y, indices.Length, columns);
        var gathered = tape.Result(y, table);
        if (gathered.RequiresGradient)
        {
            tape.Record(new GatherNode(gathered, table, at, indices.Length, columns));
        }
        else
        {
            at.Dispose();
        }

        return gathered;
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

        internal override void Backward(KernelSet kernels, Tensor dy) =>
            kernels.Tokens.ScatterAdd(dy, _indices, _table.GradientSum(), _count, _columns);
    }
}
