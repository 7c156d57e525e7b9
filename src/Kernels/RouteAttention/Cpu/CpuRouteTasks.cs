using System.Runtime.CompilerServices;
using Ldvc.Kernels.Attention;
using Ldvc.Kernels.Attention.Cpu;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.RouteAttention.Cpu;

internal unsafe struct CpuRouteArguments
{
    /// <summary>The same tokens as a plain attention; its heads are what the tiles work on.</summary>
    public CpuAttentionArguments Attention;
    public RouteSizes Sizes;
    public int* Table;
    public int* Offsets;
    public int* List;

    /// <summary>Tiles that a full window is cut into; smaller windows leave some empty.</summary>
    public int TilesPerWindow;

    /// <summary>The windows that a window attends to, by descending affinity.</summary>
    public readonly int* Chosen(int batch, int window) => Table + ((((long)batch * Sizes.Windows) + window) * Sizes.TopK);

    /// <summary>The windows that attend to a window, ascending.</summary>
    public readonly int* ChosenBy(int batch, int window, out int count)
    {
        int* offsets = Offsets + ((long)batch * (Sizes.Windows + 1)) + window;
        count = offsets[1] - offsets[0];
        return List + ((long)batch * Sizes.Windows * Sizes.TopK) + offsets[0];
    }
}

/// <summary>
/// Route attention's tasks: a tile of a window's tokens in one head, or a whole head. The tiles are plain attention's; only where the rows of the
/// other side come from differs.
/// </summary>
internal static unsafe class CpuRouteTasks<S, V>
    where S : ISimd<V>
    where V : struct
{
    private const int ForwardTile = AttentionPlan.CpuForwardTile;
    private const int BackwardTile = AttentionPlan.CpuBackwardTile;

    private const int StackWindows = RouteAttentionPlan.CpuStackWindows;

    [SkipLocalsInit]
    internal static void Forward(CpuRouteArguments* a, int tile, int worker)
    {
        int* rows = stackalloc int[ForwardTile];
        int count = Rows(a, tile, rows, ForwardTile, out int headIndex, out int window);
        if (count > 0)
        {
            var head = a->Attention.Head(headIndex);
            CpuAttentionForward<S, V>.Run(
                &head, rows, count, new CpuRouteTokens(&a->Sizes, a->Chosen(headIndex / a->Sizes.Heads, window), a->Sizes.TopK));
        }
    }

    // Keys are met in ascending order of windows, as the tasks of whole heads meet them: the sums agree to the bit.
    [SkipLocalsInit]
    internal static void BackwardQueries(CpuRouteArguments* a, int tile, int worker)
    {
        int* rows = stackalloc int[BackwardTile];
        int count = Rows(a, tile, rows, BackwardTile, out int headIndex, out int window);
        if (count == 0)
        {
            return;
        }

        int top = a->Sizes.TopK;
        int* memory = stackalloc int[top <= StackWindows ? top + 32 : 1];
        var scratch = new CpuScratch(top <= StackWindows ? (float*)memory : null, top + 32);
        int* sorted = (int*)scratch.Take(top);
        new Span<int>(a->Chosen(headIndex / a->Sizes.Heads, window), top).CopyTo(new Span<int>(sorted, top));
        new Span<int>(sorted, top).Sort();
        var head = a->Attention.Head(headIndex);
        CpuAttentionBackward<S, V>.Queries(&head, rows, count, new CpuRouteTokens(&a->Sizes, sorted, top));
        scratch.Free();
    }

    [SkipLocalsInit]
    internal static void BackwardKeys(CpuRouteArguments* a, int tile, int worker)
    {
        int* rows = stackalloc int[BackwardTile];
        int count = Rows(a, tile, rows, BackwardTile, out int headIndex, out int window);
        if (count > 0)
        {
            var head = a->Attention.Head(headIndex);
            int* windows = a->ChosenBy(headIndex / a->Sizes.Heads, window, out int windowCount);
            CpuAttentionBackward<S, V>.Keys(&head, rows, count, new CpuRouteTokens(&a->Sizes, windows, windowCount), false);
        }
    }

    /// <summary>All three gradients of one head: scores and their gradients are computed once instead of twice.</summary>
    [SkipLocalsInit]
    internal static void BackwardHead(CpuRouteArguments* a, int headIndex, int worker)
    {
        int* rows = stackalloc int[BackwardTile];
        var head = a->Attention.Head(headIndex);
        for (int row = 0; row < a->Sizes.Tokens; row++)
        {
            new Span<float>(head.Dq.Data + (row * head.Dq.Stride), head.Dimension).Clear();
        }

        for (int window = 0; window < a->Sizes.Windows; window++)
        {
            int* windows = a->ChosenBy(headIndex / a->Sizes.Heads, window, out int windowCount);
            var tokens = new CpuRouteTokens(&a->Sizes, &window, 1);
            int count;
            while ((count = tokens.Next(rows, BackwardTile)) > 0)
            {
                CpuAttentionBackward<S, V>.Keys(&head, rows, count, new CpuRouteTokens(&a->Sizes, windows, windowCount), true);
            }
        }
    }

    // The token rows of a tile: tile t of a window holds its t-th stretch of tokens, perhaps none.
    private static int Rows(CpuRouteArguments* a, int tile, int* rows, int capacity, out int headIndex, out int window)
    {
        int part = tile % a->TilesPerWindow, rest = tile / a->TilesPerWindow;
        window = rest % a->Sizes.Windows;
        headIndex = rest / a->Sizes.Windows;
        int own = window, count = 0;
        var tokens = new CpuRouteTokens(&a->Sizes, &own, 1);
        for (int i = 0; i <= part; i++)
        {
            count = tokens.Next(rows, capacity);
        }

        return count;
    }
}
