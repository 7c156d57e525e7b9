using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>
/// Slices by index along an axis, and rows of an embedding table. The gradient adds them up in the order of the indices, without atomics.
/// </summary>
public static class IndexSelectOp
{
    /// <summary>x [..., N, ...] at int32 indices [n] of one axis -> [..., n, ...].</summary>
    /// <exception cref="ArgumentOutOfRangeException">On the CPU: an index is outside of 0 .. N - 1. On a GPU, where the host does not see it, its
    /// slice is NaN.</exception>
    public static Variable IndexSelect(this Tape tape, Variable x, int axis, Tensor indices)
    {
        var shape = Guard.Floats(tape, "index_select", x);
        int at = Axis.Of("index_select", shape, axis), count = Guard.Plain(tape, "index_select", indices, DType.Int32, 1, "[n]")[0];
        return Apply(
            tape, "index_select", x, indices.Share(), nameof(indices), Axis.WithSize(shape, at, count), Axis.Outer(shape, at), shape[at],
            Axis.Inner(shape, at));
    }

    /// <summary>x [..., N, ...] at indices [n] of one axis -> [..., n, ...].</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside of 0 .. N - 1.</exception>
    public static Variable IndexSelect(this Tape tape, Variable x, int axis, ReadOnlySpan<int> indices)
    {
        var shape = Guard.Floats(tape, "index_select", x);
        int at = Axis.Of("index_select", shape, axis);
        Guard.Indices("index_select", indices, shape[at], shape);
        var list = tape.Device.FromHost(indices, new Shape(indices.Length));
        return Apply(
            tape, "index_select", x, list, nameof(indices), Axis.WithSize(shape, at, indices.Length), Axis.Outer(shape, at), shape[at],
            Axis.Inner(shape, at));
    }

    /// <summary>Rows of weight [V, D] at int32 ids of any shape -> [ids' shape, D].</summary>
    /// <exception cref="ArgumentOutOfRangeException">On the CPU: an id is outside of 0 .. V - 1. On a GPU, where the host does not see it, its row is
    /// NaN.</exception>
    public static Variable Embedding(this Tape tape, Variable weight, Tensor ids)
    {
        var shape = Guard.Floats(tape, "embedding", weight, 2, "[V, D]");
        ArgumentNullException.ThrowIfNull(ids);
        Guard.Plain(tape, "embedding", ids, DType.Int32, ids.Shape.Rank, "[...]");
        var rows = Rows(ids.Shape, shape);
        return Apply(tape, "embedding", weight, ids.Share(), nameof(ids), rows, 1, shape[0], shape[1]);
    }

    /// <summary>Rows of weight [V, D] at ids, given row by row for a shape -> [shape, D].</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside of 0 .. V - 1.</exception>
    public static Variable Embedding(this Tape tape, Variable weight, ReadOnlySpan<int> ids, params ReadOnlySpan<int> shape)
    {
        var table = Guard.Floats(tape, "embedding", weight, 2, "[V, D]");
        Guard.Indices("embedding", ids, table[0], table);
        var outer = Guard.Sizes("embedding", shape, table);
        if (outer.Count != ids.Length)
        {
            throw new ArgumentException($"embedding: {ids.Length} ids do not fill {outer} (weight {table})");
        }

        var rows = Rows(outer, table);
        return Apply(tape, "embedding", weight, tape.Device.FromHost(ids, outer), nameof(ids), rows, 1, table[0], table[1]);
    }

    private static Shape Rows(Shape ids, Shape weight)
    {
        if (ids.Rank == Shape.MaxRank)
        {
            throw new ArgumentException($"embedding: ids must have at most {Shape.MaxRank - 1} dimensions, got {ids}");
        }

        Span<int> sizes = stackalloc int[ids.Rank + 1];
        for (int i = 0; i < ids.Rank; i++)
        {
            sizes[i] = ids[i];
        }

        sizes[^1] = weight[1];
        return Guard.Sizes("embedding", sizes, weight);
    }

    // Takes ownership of the indices.
    private static Variable Apply(Tape tape, string op, Variable x, Tensor indices, string name, Shape shape, int outer, int rows, int inner)
    {
        try
        {
            Check(op, indices, name, rows, x.Shape);
            int count = (int)indices.Count;
            var y = Guard.Result(tape, op, shape);
            tape.Kernels.Indexing.Select(x.Value, indices, y, outer, rows, inner, count);
            var result = tape.Result(y, x);
            if (result.RequiresGradient)
            {
                tape.Record(new IndexSelectNode(result, x, indices, outer, rows, inner));
                indices = null!;
            }

            return result;
        }
        finally
        {
            indices?.Dispose();
        }
    }

    // The CPU's memory is the host's.
    private static unsafe void Check(string op, Tensor indices, string name, int rows, Shape shape)
    {
        if (indices.Device is CpuDevice)
        {
            Guard.Indices(op, new ReadOnlySpan<int>(indices.View.Ints, (int)indices.Count), rows, shape, name);
        }
    }

    private sealed class IndexSelectNode : Node
    {
        private readonly Variable _x;
        private readonly Tensor _indices;
        private readonly int _outer;
        private readonly int _rows;
        private readonly int _inner;

        internal IndexSelectNode(Variable output, Variable x, Tensor indices, int outer, int rows, int inner)
            : base(output)
        {
            (_x, _outer, _rows, _inner) = (x, outer, rows, inner);
            _indices = Own(indices);
        }

        internal override void Backward(KernelSet kernels, Tensor dy) =>
            kernels.Indexing.SelectBackward(dy, _indices, _x.GradientSum(), _outer, _rows, _inner, (int)_indices.Count);
    }
}
