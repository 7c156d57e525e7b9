using Ldvc.Autograd.Ops;

namespace Ldvc.Cases.Ops;

/// <summary>Other views of the same values: reshape, one slice, transpose, rows by index.</summary>
internal static class ShapeCases
{
    internal static IEnumerable<OpCase> All =>
    [
        Reshape([1], [1, 1]), Reshape([2, 3, 5], [6, 5]), Reshape([4, 33], [2, 2, 11, 3]), Reshape([1025, 768], [1, 1025, 768], real: true),
        Row([1, 1], 0), Row([4, 3, 5], 2), Row([3, 37], 0), Row([2, 4, 9], 1), Row([12, 100, 768], 5, real: true),
        Transpose(1, 1), Transpose(3, 5), Transpose(1, 19), Transpose(33, 7), Transpose(256, 256, real: true),
        Gather([1, 1], 1, [1]),
        Gather([5, 3], 4, [4]),
        Gather([7, 33], 12, [3, 4]),
        Gather([2, 9, 5], 6, [6]),
        Gather([49408, 64], 15 * 9, [15, 9], real: true),
    ];

    private static OpCase Reshape(int[] from, int[] to, bool real = false)
    {
        CaseInput x = new("x", from);
        return new OpCase(typeof(ReshapeOp), nameof(ReshapeOp.Reshape), $"{x.Shape} to [{string.Join(", ", to)}]")
        {
            Inputs = [x],
            Run = (tape, v) => tape.Reshape(v[0], to),
            Reference = real ? null : v => [.. v[0]],

            // A view: nothing is moved, whatever the size.
            Work = default,
            Real = real,
        };
    }

    private static OpCase Row(int[] sizes, int index, bool real = false)
    {
        CaseInput x = new("x", sizes);
        int row = x.Count / sizes[0];
        return new OpCase(typeof(RowOp), nameof(RowOp.Row), $"{index} of {x.Shape}")
        {
            Inputs = [x],
            Run = (tape, v) => tape.Row(v[0], index),
            Reference = real ? null : v => v[0][(index * row)..((index + 1) * row)],

            // The gradient of all rows is written, zeros but for one.
            Work = new CaseWork(0, 0, row, (double)row + x.Count),
            Real = real,
        };
    }

    private static OpCase Transpose(int rows, int columns, bool real = false)
    {
        double count = (double)rows * columns;
        return new OpCase(typeof(TransposeOp), nameof(TransposeOp.Transpose), $"{rows} x {columns}")
        {
            Inputs = [new("x", rows, columns)],
            Run = (tape, v) => tape.Transpose(v[0]),
            Reference = real ? null : v => [.. Enumerable.Range(0, rows * columns).Select(i => v[0][(i % rows * columns) + (i / rows)])],
            Work = CaseWork.Move(count, count),
            Real = real,
        };
    }

    private static OpCase Gather(int[] table, int count, int[] outer, bool real = false)
    {
        CaseInput input = new("table", table);
        int columns = table[^1], rows = input.Count / columns;
        string variant = $"{count} of {input.Shape} as [{string.Join(", ", outer)}]";
        int[] indices = CaseRandom.Integers(variant, count, rows);
        double moved = (double)count * columns;
        return new OpCase(typeof(GatherOp), nameof(GatherOp.Gather), variant)
        {
            Inputs = [input],
            Run = (tape, v) => tape.Gather(v[0], indices, outer),
            Reference = real
                ? null
                : v => [.. Enumerable.Range(0, count * columns).Select(i => v[0][(indices[i / columns] * columns) + (i % columns)])],

            // As for a row: the whole table's gradient is written.
            Work = new CaseWork(moved, 2 * moved, moved, moved + input.Count),
            Real = real,
        };
    }
}
