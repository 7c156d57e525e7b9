using ILGPU;
using ILGPU.Runtime;
using Ldvc.Kernels.Attention.Gpu;
using Ldvc.Kernels.Attention.TensorCore;
using Ldvc.Kernels.Elementwise.Gpu;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.MaskLoss.Gpu;
using Ldvc.Kernels.MatMul.Gpu;
using Ldvc.Kernels.MatMul.TensorCore;
using Ldvc.Kernels.Normalization.Gpu;
using Ldvc.Kernels.Optimizer.Gpu;
using Ldvc.Kernels.Reduction.Gpu;
using Ldvc.Kernels.RouteAttention.Gpu;
using Ldvc.Kernels.Tokens.Gpu;

namespace Ldvc.Ptx;

/// <summary>
/// What a launch must do at least, from its argument's sizes: bytes between memory and chip when every input is read once and every result written
/// once, and operations as docs/kernels.md counts them for an element, a multiply-add as two.
/// </summary>
/// <param name="Bytes">Bytes.</param>
/// <param name="Operations">Operations.</param>
internal readonly record struct LaunchWork(double Bytes, double Operations)
{
    // What else has a product's shape: the value before the activation, a residual, the slope's input, what is added to.
    private const int Extras = (int)(GemmFlags.PreActivation | GemmFlags.Residual | GemmFlags.ActivationGradient | GemmFlags.Accumulate);

    /// <summary>The work of a launch.</summary>
    /// <exception cref="NotSupportedException">Its kernel is one that this does not know.</exception>
    internal static LaunchWork Of(GpuLaunch launch)
    {
        string name = launch.Kernel.Name;
        return launch.Arguments switch
        {
            TensorCoreGemmArguments a => Product(a, launch.GridZ, name.Contains("tf32_", StringComparison.Ordinal) ? 4 : 2),
            GemmArgs a => Product(a.M, a.N, a.K, a.Part, launch.GridZ, 4, Results(a)),
            SplitSumArgs a => new((4.0 * a.Parts * a.Product.M * a.Product.N) + Results(a.Product), (double)a.Parts * a.Product.M * a.Product.N),
            TensorCoreAttentionArguments a => Attention(a.Common, name, 2, name.EndsWith(".stored", StringComparison.Ordinal) ? 2 : 4),
            GpuAttentionArguments a => Attention(a, name, 4, 4),
            GpuRouteArguments a => Route(a, name),
            PackArgs a => new(6.0 * 8 * a.Chunks, 0),
            PackManyArgs a => new(6.0 * 8 * a.End, 0),
            WidenArgs a => new(6.0 * 8 * a.Chunks, 0),
            NormalizeArgs a => Rows(name, (double)launch.GridX * a.Width, a.Accumulate),
            LayerNormParameterArgs a => Each((double)a.Rows * a.Columns, 8, 5),
            ElementArgs a => Elements(name, (4.0 * a.Vectors) + a.Singles, a.Accumulate),
            StridedArgs a => Each(a.Count, 12, 1),
            ColumnSumArgs a => Each((double)a.Rows * a.Columns, 4, 1),
            RelationshipArgs a => Each((double)a.Batch * a.Classes * a.Width, 4, 2),
            GpuMaskLossArguments a => MaskLoss(a, name),
            AdamWArgs a => Each(Listed(a.Table, a.Rows), 28, 14),
            FiniteArgs a when name.Contains("find", StringComparison.Ordinal) => Each(Listed(a.Table, a.Rows), 4, 1),
            FiniteArgs a => Each(a.Groups, 4, 1),
            ReductionArgs a => Each(a.Count, 4, 1),
            GradientScaleArgs a => Each(a.Count, 4, 1),
            _ => Moves(launch, name),
        };
    }

    /// <summary>Cells of a table: launches, MB, GFLOP, operations a byte.</summary>
    internal static string Row(IReadOnlyCollection<LaunchWork> works)
    {
        double bytes = works.Sum(work => work.Bytes), operations = works.Sum(work => work.Operations);
        return FormattableString.Invariant($"| {works.Count} | {bytes / 1e6:F0} | {operations / 1e9:F1} | {operations / bytes:F0} |");
    }

    private static LaunchWork Each(double elements, double bytes, double operations) => new(elements * bytes, elements * operations);

    private static LaunchWork Product(in TensorCoreGemmArguments a, int gridZ, int bytes) =>
        Product(a.M, a.N, a.K, a.Part, gridZ, bytes, (double)a.M * a.N * ResultBytes(a.Flags));

    // The parts of a cut product share its inputs, and each writes a result.
    private static LaunchWork Product(double m, double n, double k, int part, int gridZ, int bytes, double results)
    {
        double products = part == 0 ? gridZ : 1;
        return new((bytes * products * k * (m + n)) + (gridZ * results), 2 * products * m * n * k);
    }

    private static double Results(in GemmArgs a) => 4.0 * a.M * a.N * (1 + Bits((int)a.Flags, Extras));

    // Of a result and what is laid out like it: some of them may be stored in 16 bits.
    private static int ResultBytes(int flags)
    {
        int Of(int present, int rounded) => present == 0 || (flags & present) != 0 ? ((flags & rounded) != 0 ? 2 : 4) : 0;
        return Of(0, TensorCoreEpilogue.RoundsC) + Of(TensorCoreEpilogue.HasPreActivation, TensorCoreEpilogue.RoundsPreActivation)
            + Of(TensorCoreEpilogue.HasGradient, TensorCoreEpilogue.WidensGradient) + Of(TensorCoreEpilogue.HasResidual, 0)
            + Of(TensorCoreEpilogue.Accumulates, 0);
    }

    private static int Bits(int flags, int counted) => System.Numerics.BitOperations.PopCount((uint)(flags & counted));

    // Keys that a query meets: all of them, or those of the windows that its own has chosen.
    private static LaunchWork Attention(in GpuAttentionArguments a, string name, int read, int written)
    {
        double head = (double)a.Batch * a.Heads * a.HeadDim, queries = head * a.Queries, keys = head * a.Keys;
        double meets = name.StartsWith("route", StringComparison.Ordinal) ? (double)a.TopK * a.WindowHeight * a.WindowWidth : a.Keys;
        double product = queries * meets;
        return name.Contains("delta", StringComparison.Ordinal) ? new((written + 4) * queries, 2 * queries)
            : name.Contains("forward", StringComparison.Ordinal) ? new((read * (queries + (2 * keys))) + (written * queries), 4 * product)
            : name.Contains("dq", StringComparison.Ordinal) || name.Contains("queries", StringComparison.Ordinal)
                ? new((read * ((2 * queries) + (2 * keys))) + (written * queries), 6 * product)
            : new((read * ((2 * queries) + (2 * keys))) + (2 * written * keys), 8 * product);
    }

    private static LaunchWork Route(in GpuRouteArguments a, string name)
    {
        double tokens = (double)a.Batch * a.GridHeight * a.GridWidth, windows = (double)a.Batch * a.Windows;
        return name.EndsWith("pool", StringComparison.Ordinal) ? new(2 * 4 * a.Width * (tokens + windows), 2 * a.Width * tokens)
            : name.EndsWith("choose", StringComparison.Ordinal)
                ? new(4 * windows * ((2 * a.Width) + a.TopK), 2 * windows * a.Windows * a.Width)
            : new(4 * windows * ((2 * a.TopK) + 1), windows * a.Windows * a.TopK);
    }

    private static LaunchWork Rows(string name, double elements, int accumulate)
    {
        bool backward = name.Contains("backward", StringComparison.Ordinal), sum = name.Contains("add_layer", StringComparison.Ordinal);
        bool length = name.Contains("l2_", StringComparison.Ordinal), rounded = name.EndsWith("16", StringComparison.Ordinal);
        double bytes = sum ? 16 : backward ? 12 + (accumulate != 0 ? 4 : 0) + (rounded ? 2 : 0) : rounded ? 6 : 8;
        double operations = length ? (backward ? 5 : 3) : sum ? (backward ? 34 : 30) : backward ? 14 : 8;
        return Each(elements, bytes, operations);
    }

    private static LaunchWork Elements(string name, double elements, int accumulate)
    {
        double reads = name.Contains("fill", StringComparison.Ordinal) ? 0
            : name.Contains("backward", StringComparison.Ordinal) || name.EndsWith(".add", StringComparison.Ordinal) ? 2 : 1;
        double operations = name.EndsWith("dropout_blocks", StringComparison.Ordinal) ? 40
            : name.EndsWith("dropout", StringComparison.Ordinal) ? 20 : 1;
        return Each(elements, 4 * (reads + 1 + accumulate), operations);
    }

    private static LaunchWork MaskLoss(in GpuMaskLossArguments a, string name)
    {
        double pixels = (double)a.Planes * a.Rows.Output * a.Columns.Output, logits = (double)a.Planes * a.Rows.Input * a.Columns.Input;
        double labels = pixels * (name.Contains("wide", StringComparison.Ordinal) ? 4 : 1);
        return name.EndsWith("sums", StringComparison.Ordinal) ? new(labels + (4 * logits) + (16.0 * a.Planes * a.Bands), 40 * pixels)
            : name.EndsWith("gradient", StringComparison.Ordinal) ? new(labels + (8 * logits), 54 * pixels)
            : name.EndsWith("finish", StringComparison.Ordinal) ? Each((double)a.Planes * a.Bands, 16, 8)
            : Each(a.Planes, 32, 12);
    }

    // Elements of all tensors that a table lists.
    private static double Listed(ArrayView<int> table, int rows)
    {
        int[] values = new int[table.Length];
        table.CopyToCPU(values);
        return Enumerable.Range(0, rows).Sum(row => (double)values[(row * GpuTensorTable.RowLength) + GpuTensorTable.Elements]);
    }

    // What only moves tokens: a thread moves a float, or four.
    private static LaunchWork Moves(GpuLaunch launch, string name)
    {
        double pack = name.EndsWith(".v4", StringComparison.Ordinal) ? 16 : 4;
        return launch.Arguments switch
        {
            SpliceArgs a => new(2 * pack * (a.Items + (double)a.TokenItems), 0),
            PatchArgs a => new(2 * pack * a.Items, 0),
            BlockArgs a => new(2 * pack * a.Blocks * (double)a.Length * Math.Max(1, a.Times), 0),
            MeanArgs a => Each((double)launch.GridY * a.Tokens * a.Width * pack / 4, 8, 2),
            _ => throw new NotSupportedException($"launches: no bytes and operations are known of {name}; LaunchWork needs a line for it"),
        };
    }
}
