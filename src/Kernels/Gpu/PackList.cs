namespace Ldvc.Kernels.Gpu;

internal readonly struct PackManyArgs
{
    internal PackArgs First { get; init; }

    internal PackArgs Second { get; init; }

    internal PackArgs Third { get; init; }

    internal PackArgs Fourth { get; init; }

    /// <summary>Chunks of the first matrices, of the first two, of the first three, of all.</summary>
    internal int EndFirst { get; init; }

    internal int EndSecond { get; init; }

    internal int EndThird { get; init; }

    internal int End { get; init; }
}

/// <summary>
/// Matrices that one kernel wants rounded: collected, then rounded in one launch, up to four of them. An attention has queries, keys, values and in its backward a
/// gradient.
/// </summary>
internal sealed class PackList(GpuLauncher launcher)
{
    private const int Most = 4;

    internal static readonly GpuKernel<PackManyArgs> Kernel = new("gpu.pack_bf16.many", Run, PackBf16.GroupSize) { AnyGroup = true, CudaOnly = true };

    private readonly PackArgs[] _waiting = new PackArgs[Most];
    private int _count;

    /// <summary>Begins anew: what waits is forgotten, as after a call that failed half way.</summary>
    internal void Begin() => _count = 0;

    /// <summary>Adds matrices; those before them are rounded when there are four.</summary>
    internal void Add(in PackArgs args)
    {
        if (_count == Most)
        {
            Flush();
        }

        _waiting[_count++] = args;
    }

    /// <summary>Queues what waits.</summary>
    internal void Flush()
    {
        int count = _count;
        _count = 0;
        if (count == 1)
        {
            launcher.LaunchItems(PackBf16.Kernel, _waiting[0].Chunks, _waiting[0]);
        }
        else if (count > 1)
        {
            // Matrices that are not there are the first ones, of no chunks.
            PackArgs third = count > 2 ? _waiting[2] : _waiting[0], fourth = count > 3 ? _waiting[3] : _waiting[0];
            int first = _waiting[0].Chunks, second = first + _waiting[1].Chunks, thirdEnd = second + (count > 2 ? third.Chunks : 0);
            var args = new PackManyArgs
            {
                First = _waiting[0],
                Second = _waiting[1],
                Third = third,
                Fourth = fourth,
                EndFirst = first,
                EndSecond = second,
                EndThird = thirdEnd,
                End = thirdEnd + (count > 3 ? fourth.Chunks : 0),
            };
            launcher.LaunchItems(Kernel, args.End, args);
        }
    }

    internal static void Run(PackManyArgs args)
    {
        int i = (ILGPU.Grid.IdxX * ILGPU.Group.DimX) + ILGPU.Group.IdxX;
        if (i < args.EndFirst)
        {
            PackBf16.Chunk(args.First, i);
        }
        else if (i < args.EndSecond)
        {
            PackBf16.Chunk(args.Second, i - args.EndFirst);
        }
        else if (i < args.EndThird)
        {
            PackBf16.Chunk(args.Third, i - args.EndSecond);
        }
        else if (i < args.End)
        {
            PackBf16.Chunk(args.Fourth, i - args.EndThird);
        }
    }
}
