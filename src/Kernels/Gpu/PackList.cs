using Ldvc.Tensors;

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
/// Matrices that one kernel wants rounded: collected, then rounded in one launch, up to four of them. An attention has queries, keys, values and in
/// its backward a gradient.
/// </summary>
internal sealed class PackList(GpuLauncher launcher)
{
    private const int Most = 4;

    private static readonly GpuKernel<PackManyArgs> s_bf16 = Define<Bf16Format>(), s_fp16 = Define<Fp16Format>();

    private readonly PackArgs[] _waiting = new PackArgs[Most];
    private int _count;

    /// <summary>What is rounded to.</summary>
    internal DType Type { get; private set; } = DType.BFloat16;

    /// <summary>Begins anew, with matrices that are rounded to a type: what waits is forgotten, as after a call that failed half way.</summary>
    internal void Begin(DType type) => (Type, _count) = (type, 0);

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
            launcher.LaunchItems(PackHalf.Kernel(Type), _waiting[0].Chunks, _waiting[0]);
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
            launcher.LaunchItems(Type == DType.Float16 ? s_fp16 : s_bf16, args.End, args);
        }
    }

    internal static void Run<TFormat>(PackManyArgs args)
        where TFormat : struct, IHalfFormat
    {
        int i = (ILGPU.Grid.IdxX * ILGPU.Group.DimX) + ILGPU.Group.IdxX;
        if (i < args.EndFirst)
        {
            PackHalf.Chunk<TFormat>(args.First, i);
        }
        else if (i < args.EndSecond)
        {
            PackHalf.Chunk<TFormat>(args.Second, i - args.EndFirst);
        }
        else if (i < args.EndThird)
        {
            PackHalf.Chunk<TFormat>(args.Third, i - args.EndSecond);
        }
        else if (i < args.End)
        {
            PackHalf.Chunk<TFormat>(args.Fourth, i - args.EndThird);
        }
    }

    private static GpuKernel<PackManyArgs> Define<TFormat>()
        where TFormat : struct, IHalfFormat => new(
            $"gpu.pack_{TFormat.Name}.many", Run<TFormat>, PackHalf.GroupSize)
        { AnyGroup = true, CudaOnly = true };
}
