using ILGPU;
using ILGPU.Runtime;

namespace Ldvc.Tensors.Gpu;

public sealed partial class GpuDevice
{
    /// <summary>
    /// Compiles a kernel of one's own on its first use on this device, and gives what launches it: it queues one thread for every index, in groups
    /// that ILGPU chooses, after everything queued before. The kernel is a static method of an index and one argument (a view, a number, a struct of
    /// these).
    /// </summary>
    /// <exception cref="NotSupportedException">ILGPU cannot compile it. The device's ILGPU context is spoilt then: open the device anew.</exception>
    /// <exception cref="ObjectDisposedException">The device was disposed of.</exception>
    public Action<TIndex, T1> Kernel<TIndex, T1>(Action<TIndex, T1> method)
        where TIndex : struct, IIndex
        where T1 : struct => Own(method, false, () =>
    {
        var launch = Accelerator.LoadAutoGroupedKernel<TIndex, T1>(method);
        return new Action<TIndex, T1>((index, a) =>
        {
            if (HasWork(method, index))
            {
                using var turn = Turn.Enter();
                launch(Stream, index, Here(method, a));
                Counters.CountLaunch();
            }
        });
    });

    /// <summary>The same for two arguments.</summary>
    /// <inheritdoc cref="Kernel{TIndex, T1}" path="/exception"/>
    public Action<TIndex, T1, T2> Kernel<TIndex, T1, T2>(Action<TIndex, T1, T2> method)
        where TIndex : struct, IIndex
        where T1 : struct
        where T2 : struct => Own(method, false, () =>
    {
        var launch = Accelerator.LoadAutoGroupedKernel<TIndex, T1, T2>(method);
        return new Action<TIndex, T1, T2>((index, a, b) =>
        {
            if (HasWork(method, index))
            {
                using var turn = Turn.Enter();
                launch(Stream, index, Here(method, a), Here(method, b));
                Counters.CountLaunch();
            }
        });
    });

    /// <summary>The same for three arguments.</summary>
    /// <inheritdoc cref="Kernel{TIndex, T1}" path="/exception"/>
    public Action<TIndex, T1, T2, T3> Kernel<TIndex, T1, T2, T3>(Action<TIndex, T1, T2, T3> method)
        where TIndex : struct, IIndex
        where T1 : struct
        where T2 : struct
        where T3 : struct => Own(method, false, () =>
    {
        var launch = Accelerator.LoadAutoGroupedKernel<TIndex, T1, T2, T3>(method);
        return new Action<TIndex, T1, T2, T3>((index, a, b, c) =>
        {
            if (HasWork(method, index))
            {
                using var turn = Turn.Enter();
                launch(Stream, index, Here(method, a), Here(method, b), Here(method, c));
                Counters.CountLaunch();
            }
        });
    });

    /// <summary>The same for four arguments.</summary>
    /// <inheritdoc cref="Kernel{TIndex, T1}" path="/exception"/>
    public Action<TIndex, T1, T2, T3, T4> Kernel<TIndex, T1, T2, T3, T4>(Action<TIndex, T1, T2, T3, T4> method)
        where TIndex : struct, IIndex
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct => Own(method, false, () =>
    {
        var launch = Accelerator.LoadAutoGroupedKernel<TIndex, T1, T2, T3, T4>(method);
        return new Action<TIndex, T1, T2, T3, T4>((index, a, b, c, d) =>
        {
            if (HasWork(method, index))
            {
                using var turn = Turn.Enter();
                launch(Stream, index, Here(method, a), Here(method, b), Here(method, c), Here(method, d));
                Counters.CountLaunch();
            }
        });
    });

    /// <summary>The same for five arguments.</summary>
    /// <inheritdoc cref="Kernel{TIndex, T1}" path="/exception"/>
    public Action<TIndex, T1, T2, T3, T4, T5> Kernel<TIndex, T1, T2, T3, T4, T5>(Action<TIndex, T1, T2, T3, T4, T5> method)
        where TIndex : struct, IIndex
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct => Own(method, false, () =>
    {
        var launch = Accelerator.LoadAutoGroupedKernel<TIndex, T1, T2, T3, T4, T5>(method);
        return new Action<TIndex, T1, T2, T3, T4, T5>((index, a, b, c, d, e) =>
        {
            if (HasWork(method, index))
            {
                using var turn = Turn.Enter();
                launch(Stream, index, Here(method, a), Here(method, b), Here(method, c), Here(method, d), Here(method, e));
                Counters.CountLaunch();
            }
        });
    });

    /// <summary>The same for six arguments.</summary>
    /// <inheritdoc cref="Kernel{TIndex, T1}" path="/exception"/>
    public Action<TIndex, T1, T2, T3, T4, T5, T6> Kernel<TIndex, T1, T2, T3, T4, T5, T6>(Action<TIndex, T1, T2, T3, T4, T5, T6> method)
        where TIndex : struct, IIndex
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct
        where T6 : struct => Own(method, false, () =>
    {
        var launch = Accelerator.LoadAutoGroupedKernel<TIndex, T1, T2, T3, T4, T5, T6>(method);
        return new Action<TIndex, T1, T2, T3, T4, T5, T6>((index, a, b, c, d, e, f) =>
        {
            if (HasWork(method, index))
            {
                using var turn = Turn.Enter();
                launch(Stream, index, Here(method, a), Here(method, b), Here(method, c), Here(method, d), Here(method, e), Here(method, f));
                Counters.CountLaunch();
            }
        });
    });

    /// <summary>The same for seven arguments.</summary>
    /// <inheritdoc cref="Kernel{TIndex, T1}" path="/exception"/>
    public Action<TIndex, T1, T2, T3, T4, T5, T6, T7> Kernel<TIndex, T1, T2, T3, T4, T5, T6, T7>(Action<TIndex, T1, T2, T3, T4, T5, T6, T7> method)
        where TIndex : struct, IIndex
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct
        where T6 : struct
        where T7 : struct => Own(method, false, () =>
    {
        var launch = Accelerator.LoadAutoGroupedKernel<TIndex, T1, T2, T3, T4, T5, T6, T7>(method);
        return new Action<TIndex, T1, T2, T3, T4, T5, T6, T7>((index, a, b, c, d, e, f, g) =>
        {
            if (HasWork(method, index))
            {
                using var turn = Turn.Enter();
                launch(
                    Stream, index, Here(method, a), Here(method, b), Here(method, c), Here(method, d),
                    Here(method, e), Here(method, f), Here(method, g));
                Counters.CountLaunch();
            }
        });
    });

    /// <summary>The same for eight arguments.</summary>
    /// <inheritdoc cref="Kernel{TIndex, T1}" path="/exception"/>
    public Action<TIndex, T1, T2, T3, T4, T5, T6, T7, T8> Kernel<TIndex, T1, T2, T3, T4, T5, T6, T7, T8>(
        Action<TIndex, T1, T2, T3, T4, T5, T6, T7, T8> method)
        where TIndex : struct, IIndex
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct
        where T6 : struct
        where T7 : struct
        where T8 : struct => Own(method, false, () =>
    {
        var launch = Accelerator.LoadAutoGroupedKernel<TIndex, T1, T2, T3, T4, T5, T6, T7, T8>(method);
        return new Action<TIndex, T1, T2, T3, T4, T5, T6, T7, T8>((index, a, b, c, d, e, f, g, h) =>
        {
            if (HasWork(method, index))
            {
                using var turn = Turn.Enter();
                launch(
                    Stream, index, Here(method, a), Here(method, b), Here(method, c), Here(method, d),
                    Here(method, e), Here(method, f), Here(method, g), Here(method, h));
                Counters.CountLaunch();
            }
        });
    });
}
