using Ldvc.Autograd.Ops;
using Ldvc.Tensors;

namespace Ldvc.Cases.Ops;

/// <summary>Permutations, slices, values side by side, and selection by index, along any axis.</summary>
internal static class LayoutCases
{
    internal static IEnumerable<OpCase> All =>
    [
        Permute([1, 1], [1, 0]), Permute([3, 5], [1, 0]), Permute([3, 5], [0, 1]), Permute([2, 37, 3], [0, 2, 1]),
            Permute([2, 3, 4, 5], [0, 2, 1, 3]), Permute([2, 3, 4, 5], [-1, 0, 2, 1]),
        Permute([2, 3, 2, 3, 2, 2], [5, 3, 1, 0, 2, 4]), Permute([16, 196, 12, 64], [0, 2, 1, 3], real: true),
        Slice([1], 0, 0, 1),
        Slice([5, 7], 0, 1, 3),
        Slice([5, 7], -1, 2, 4),
        Slice([3, 9, 33], 1, 8, 1),
        Slice([2, 3, 4], 2, 1, 0),
        Slice([16, 197, 768], 1, 1, 196, real: true),
        Concat([[1], [1]], 0),
        Concat([[2, 3], [2, 5], [2, 1]], 1),
        Concat([[3, 7, 2], [1, 7, 2]], 0),
        Concat([[2, 3, 4], [2, 3, 4], [2, 3, 33]], -1),
        Concat([[4, 5]], 0),
        Concat([[16, 196, 256], [16, 196, 512]], -1, real: true),
        IndexSelect([1], 0, 1),
        IndexSelect([5, 3], 0, 7),
        IndexSelect([5, 7], -1, 4),
        IndexSelect([3, 9, 33], 1, 5),
        IndexSelect([16, 196, 256], 1, 49, real: true),
        Embedding(1, 1, [1]), Embedding(5, 3, [4]), Embedding(7, 33, [3, 4]), Embedding(4, 40, [2, 3, 2]), Embedding(1000, 64, [8, 32], real: true),
    ];

    private static OpCase Permute(int[] sizes, int[] axes, bool real = false)
    {
        CaseInput x = new("x", sizes);
        int[] order = [.. axes.Select(axis => (axis + sizes.Length) % sizes.Length)], result = [.. order.Select(axis => sizes[axis])];
        int From(int at)
        {
            int[] indices = Grids.Indices(result, at), from = new int[indices.Length];
            for (int i = 0; i < from.Length; i++)
            {
                from[order[i]] = indices[i];
            }

            return Grids.At(sizes, from);
        }

        return new OpCase(typeof(PermuteOp), nameof(PermuteOp.Permute), $"{x.Shape} to [{string.Join(", ", axes)}]")
        {
            Inputs = [x],
            Run = (tape, v) => tape.Permute(v[0], axes),
            Reference = real ? null : v => [.. Enumerable.Range(0, x.Count).Select(at => v[0][From(at)])],
            Work = CaseWork.Move(x.Count, x.Count),
            Real = real,
        };
    }

    private static OpCase Slice(int[] sizes, int axis, int start, int count, bool real = false)
    {
        CaseInput x = new("x", sizes);
        int at = (axis + sizes.Length) % sizes.Length;
        int[] result = [.. sizes.Select((size, i) => i == at ? count : size)];
        int From(int element)
        {
            int[] indices = Grids.Indices(result, element);
            indices[at] += start;
            return Grids.At(sizes, indices);
        }

        double moved = Grids.Count(result);
        return new OpCase(typeof(SliceOp), nameof(SliceOp.Slice), $"{x.Shape}, {start}..{start + count} of axis {axis}")
        {
            Inputs = [x],
            Run = (tape, v) => tape.Slice(v[0], axis, start, count),
            Reference = real ? null : v => [.. Enumerable.Range(0, Grids.Count(result)).Select(element => v[0][From(element)])],
            Work = CaseWork.Move(moved, moved),
            Real = real,
        };
    }

    private static OpCase Concat(int[][] sizes, int axis, bool real = false)
    {
        int at = (axis + sizes[0].Length) % sizes[0].Length;
        CaseInput[] inputs = [.. sizes.Select((s, i) => new CaseInput($"x{i}", s))];
        int[] result = [.. sizes[0].Select((size, i) => i == at ? sizes.Sum(s => s[at]) : size)];
        double Value(double[][] v, int element)
        {
            int[] indices = Grids.Indices(result, element);
            int input = 0;
            for (; indices[at] >= sizes[input][at]; input++)
            {
                indices[at] -= sizes[input][at];
            }

            return v[input][Grids.At(sizes[input], indices)];
        }

        double count = Grids.Count(result);
        return new OpCase(typeof(ConcatOp), nameof(ConcatOp.Concat), $"{string.Join(" and ", inputs.Select(i => i.Shape.ToString()))} along {axis}")
        {
            Inputs = inputs,
            Run = (tape, v) => tape.Concat(v, axis),
            Reference = real ? null : v => [.. Enumerable.Range(0, Grids.Count(result)).Select(element => Value(v, element))],
            Work = CaseWork.Move(count, count),
            Real = real,
        };
    }

    private static OpCase IndexSelect(int[] sizes, int axis, int count, bool real = false)
    {
        CaseInput x = new("x", sizes);
        int at = (axis + sizes.Length) % sizes.Length;
        string variant = $"{count} of {x.Shape}, axis {axis}";
        int[] indices = CaseRandom.Integers(variant, count, sizes[at]), result = [.. sizes.Select((size, i) => i == at ? count : size)];
        int From(int element)
        {
            int[] place = Grids.Indices(result, element);
            place[at] = indices[place[at]];
            return Grids.At(sizes, place);
        }

        double moved = Grids.Count(result);
        return new OpCase(typeof(IndexSelectOp), nameof(IndexSelectOp.IndexSelect), variant)
        {
            Inputs = [x],
            Run = (tape, v) => tape.IndexSelect(v[0], axis, indices),
            Reference = real ? null : v => [.. Enumerable.Range(0, Grids.Count(result)).Select(element => v[0][From(element)])],
            Work = CaseWork.Move(moved, moved),
            Real = real,
        };
    }

    private static OpCase Embedding(int rows, int width, int[] ids, bool real = false)
    {
        int count = Grids.Count(ids);
        string variant = $"[{string.Join(", ", ids)}] of {rows} x {width}";
        int[] values = CaseRandom.Integers(variant, count, rows);
        double moved = (double)count * width;
        return new OpCase(typeof(IndexSelectOp), nameof(IndexSelectOp.Embedding), variant)
        {
            Inputs = [new CaseInput("weight", rows, width)],
            Run = (tape, v) =>
            {
                using var given = tape.Device.FromHost(values, new Shape(ids));
                return tape.Embedding(v[0], given);
            },
            Reference = real ? null : v => [.. Enumerable.Range(0, count * width).Select(i => v[0][(values[i / width] * width) + (i % width)])],
            Work = CaseWork.Move(moved, moved),
            Real = real,
        };
    }
}
