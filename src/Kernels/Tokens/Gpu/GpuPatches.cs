using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Tokens.Gpu;

/// <summary>Sizes of a patch extraction; widths count packs of the kernel's type, heights rows.</summary>
internal readonly struct PatchArgs
{
    internal ArrayView<float> Image { get; init; }

    internal ArrayView<float> Patches { get; init; }

    internal int Channels { get; init; }

    internal int Height { get; init; }

    internal int Width { get; init; }

    /// <summary>Rows of a patch.</summary>
    internal int Patch { get; init; }

    /// <summary>Packs of a patch's row.</summary>
    internal int PatchWidth { get; init; }

    internal int Items { get; init; }
}

/// <summary>Pictures cut into patches: one thread a pack of the patches, which are written in order and read in runs of a patch's row.</summary>
internal static class GpuPatches<T>
    where T : unmanaged, IPack<T>
{
    internal static void Run(PatchArgs args)
    {
        int item = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (item < args.Items)
        {
            int across = args.Width / args.PatchWidth, down = args.Height / args.Patch;
            int line = item / args.PatchWidth, x = item - (line * args.PatchWidth);
            int plane = line / args.Patch, y = line - (plane * args.Patch);
            int patch = plane / args.Channels, c = plane - (patch * args.Channels);
            int column = patch / across, gx = patch - (column * across);
            int b = column / down, gy = column - (b * down);
            int row = (((b * args.Channels) + c) * args.Height) + (gy * args.Patch) + y;
            args.Patches.Cast<T>()[item] = args.Image.Cast<T>()[(row * args.Width) + (gx * args.PatchWidth) + x];
        }
    }
}
