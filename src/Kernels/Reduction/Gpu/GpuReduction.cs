using System.Runtime.InteropServices;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Reduction.Gpu;

/// <summary>
/// GPU dispatch of whole-tensor reductions. Each but <see cref="FindNotFinite"/>, <see cref="ClipFactor"/> and <see cref="GradientScale"/> ends with
/// a copy to the host, and has no place in a training step.
/// </summary>
internal sealed class GpuReduction(GpuLauncher launcher) : IReductionKernels, IDisposable
{
    private readonly GpuTensorTable _table = new(launcher, 1);
    private readonly GpuTensorTable _clipped = new(launcher, 1);

    private const int MaxGroups = ReductionPlan.GpuMaxGroups;
    private const int Infinity = 0x7F800000;

    public void SumAxis(View x, View y, float factor, bool accumulate, int outer, int length, int inner) =>
        GpuAxes.Run(launcher, GpuAxes.Sum, x, y, factor, accumulate, outer, length, inner);

    public void MaxAxis(View x, View y, int outer, int length, int inner) => GpuAxes.Run(launcher, GpuAxes.Max, x, y, 1, false, outer, length, inner);

    public double Sum(View x, long count) => Sum(x, count, squared: false);

    public double SumOfSquares(View x, long count) => Sum(x, count, squared: true);

    public float MaxAbs(View x, long count) => BitConverter.Int32BitsToSingle(LargestBits(x, count));

    public bool AllFinite(View x, long count) => LargestBits(x, count) < Infinity;

    public void GradientScale(View x, long count, View scale) => GpuGradientScale.Launch(launcher, x, count, scale);

    public void FindNotFinite(IReadOnlyList<TensorPart> tensors, View found)
    {
        _table.Begin();
        for (int i = 0; i < tensors.Count; i++)
        {
            _table.Add(tensors[i].Count, 0, tensors[i].Data);
        }

        if (tensors.Count == 0)
        {
            launcher.Device.Clear(found.Storage, found.Offset * sizeof(int), sizeof(int));
            return;
        }

        var table = _table.Upload();
        int groups = _table.Parts.Sum(part => part.Groups);
        var partial = launcher.Workspace.Bytes(groups * sizeof(int)).As(DType.Int32).GpuInts;
        var args = new FiniteArgs { Partial = partial, Found = found.GpuInts };
        int before = 0;
        foreach (var part in _table.Parts)
        {
            args = args with
            {
                Chunks = part.Chunks,
                Table = table.SubView(part.FirstRow * GpuTensorTable.RowLength, part.Rows * GpuTensorTable.RowLength),
                Rows = part.Rows,
                Groups = before,
                Left = tensors.Count - part.FirstRow,
            };
            launcher.Launch(GpuFiniteCheck.Kernel, part.Groups, args);
            before += part.Groups;
        }

        launcher.Launch(GpuFiniteCheck.Combine, 1, args with { Groups = groups });
    }

    public void ClipFactor(IReadOnlyList<TensorPart> tensors, double bound, View result)
    {
        // A table of its own, though it may hold the same: two that take turns would be uploaded every time.
        _clipped.Begin();
        for (int i = 0; i < tensors.Count; i++)
        {
            _clipped.Add(tensors[i].Count, 0, tensors[i].Data);
        }

        if (tensors.Count == 0)
        {
            // A row of nothing: the kernel needs memory to name.
            _clipped.Add(0, 0, result);
        }

        var table = _clipped.Upload();
        int groups = _clipped.Parts.Sum(part => part.Groups), before = 0;
        var partial = launcher.Workspace.Bytes(Math.Max(1, groups) * sizeof(double)).GpuBytes.Cast<double>();
        var args = new ClipArgs { Partial = partial, Result = result.GpuFloats, Bound = bound };
        foreach (var part in _clipped.Parts)
        {
            args = args with
            {
                Chunks = part.Chunks,
                Table = table.SubView(part.FirstRow * GpuTensorTable.RowLength, part.Rows * GpuTensorTable.RowLength),
                Rows = part.Rows,
                Groups = before,
            };
            launcher.Launch(GpuClipFactor.Kernel, part.Groups, args);
            before += part.Groups;
        }

        launcher.Launch(GpuClipFactor.Combine, 1, args with { Groups = groups });
    }

    public void Dispose()
    {
        _table.Dispose();
        _clipped.Dispose();
    }

    /// <summary>The bits of the largest absolute values of so many groups, in the workspace.</summary>
    internal static (ILGPU.ArrayView<int> Largest, int Groups) LaunchMaxAbs(GpuLauncher launcher, View x, long count)
    {
        int groups = ReductionPlan.GpuGroups(count);
        var args = Args(GpuReductions.MaxAbs, x, count, launcher.Workspace.Bytes(MaxGroups * sizeof(double)), squared: false);
        launcher.Launch(GpuReductions.MaxAbs, groups, args);
        return (args.Largest, groups);
    }

    private double Sum(View x, long count, bool squared)
    {
        int groups = ReductionPlan.GpuGroups(count);
        var partial = launcher.Workspace.Bytes(MaxGroups * sizeof(double));
        launcher.Launch(GpuReductions.Sum, groups, Args(GpuReductions.Sum, x, count, partial, squared));
        Span<double> sums = stackalloc double[groups];
        launcher.Device.Download(partial.Storage, 0, MemoryMarshal.AsBytes(sums));
        double sum = 0;
        foreach (double part in sums)
        {
            sum += part;
        }

        return sum;
    }

    private int LargestBits(View x, long count)
    {
        var (_, groups) = LaunchMaxAbs(launcher, x, count);
        var partial = launcher.Workspace.Bytes(MaxGroups * sizeof(double));
        Span<int> largest = stackalloc int[groups];
        launcher.Device.Download(partial.Storage, 0, MemoryMarshal.AsBytes(largest));
        int result = 0;
        foreach (int bits in largest)
        {
            result = Math.Max(result, bits);
        }

        return result;
    }

    private static ReductionArgs Args(GpuKernel kernel, View x, long count, View partial, bool squared) => new()
    {
        X = x.GpuFloats,
        Sums = partial.GpuBytes.Cast<double>(),
        Largest = partial.As(DType.Int32).GpuInts,
        Count = GpuSizes.Index(count, kernel),
        Squared = squared ? 1 : 0,
    };
}
