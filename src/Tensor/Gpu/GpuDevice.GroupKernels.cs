using ILGPU;
using ILGPU.Runtime;

namespace Ldvc.Tensors.Gpu;

public sealed partial class GpuDevice
{
    /// <summary>
    /// The same for a kernel that sees groups (shared memory, barriers): its launcher takes the grid in groups and the threads of a group. The
    /// kernel is a static method of one argument (a view, a number, a struct of these); it finds its place with <see cref="Grid"/> and <see
    /// cref="Group"/>.
    /// </summary>
    /// <exception cref="NotSupportedException">ILGPU cannot compile it. The device's ILGPU context is spoilt then: open the device anew.</exception>
    /// <exception cref="ObjectDisposedException">The device was disposed of.</exception>
    public Action<KernelConfig, T1> GroupKernel<T1>(Action<T1> method)
        where T1 : struct => Own(method, true, () =>
    {
        var launch = Accelerator.LoadKernel<T1>(method);
        return new Action<KernelConfig, T1>((config, a) =>
        {
            if (HasWork(method, config))
            {
                using var turn = Turn.Enter();
                launch(Stream, config, Here(method, a));
                Counters.CountLaunch();
            }
        });
    });

    /// <summary>The same for two arguments.</summary>
    /// <inheritdoc cref="GroupKernel{T1}" path="/exception"/>
    public Action<KernelConfig, T1, T2> GroupKernel<T1, T2>(Action<T1, T2> method)
        where T1 : struct
        where T2 : struct => Own(method, true, () =>
    {
        var launch = Accelerator.LoadKernel<T1, T2>(method);
        return new Action<KernelConfig, T1, T2>((config, a, b) =>
        {
            if (HasWork(method, config))
            {
                using var turn = Turn.Enter();
                launch(Stream, config, Here(method, a), Here(method, b));
                Counters.CountLaunch();
            }
        });
    });

    /// <summary>The same for three arguments.</summary>
    /// <inheritdoc cref="GroupKernel{T1}" path="/exception"/>
    public Action<KernelConfig, T1, T2, T3> GroupKernel<T1, T2, T3>(Action<T1, T2, T3> method)
        where T1 : struct
        where T2 : struct
        where T3 : struct => Own(method, true, () =>
    {
        var launch = Accelerator.LoadKernel<T1, T2, T3>(method);
        return new Action<KernelConfig, T1, T2, T3>((config, a, b, c) =>
        {
            if (HasWork(method, config))
            {
                using var turn = Turn.Enter();
                launch(Stream, config, Here(method, a), Here(method, b), Here(method, c));
                Counters.CountLaunch();
            }
        });
    });

    /// <summary>The same for four arguments.</summary>
    /// <inheritdoc cref="GroupKernel{T1}" path="/exception"/>
    public Action<KernelConfig, T1, T2, T3, T4> GroupKernel<T1, T2, T3, T4>(Action<T1, T2, T3, T4> method)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct => Own(method, true, () =>
    {
        var launch = Accelerator.LoadKernel<T1, T2, T3, T4>(method);
        return new Action<KernelConfig, T1, T2, T3, T4>((config, a, b, c, d) =>
        {
            if (HasWork(method, config))
            {
                using var turn = Turn.Enter();
                launch(Stream, config, Here(method, a), Here(method, b), Here(method, c), Here(method, d));
                Counters.CountLaunch();
            }
        });
    });

    /// <summary>The same for five arguments.</summary>
    /// <inheritdoc cref="GroupKernel{T1}" path="/exception"/>
    public Action<KernelConfig, T1, T2, T3, T4, T5> GroupKernel<T1, T2, T3, T4, T5>(Action<T1, T2, T3, T4, T5> method)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct => Own(method, true, () =>
    {
        var launch = Accelerator.LoadKernel<T1, T2, T3, T4, T5>(method);
        return new Action<KernelConfig, T1, T2, T3, T4, T5>((config, a, b, c, d, e) =>
        {
            if (HasWork(method, config))
            {
                using var turn = Turn.Enter();
                launch(Stream, config, Here(method, a), Here(method, b), Here(method, c), Here(method, d), Here(method, e));
                Counters.CountLaunch();
            }
        });
    });

    /// <summary>The same for six arguments.</summary>
    /// <inheritdoc cref="GroupKernel{T1}" path="/exception"/>
    public Action<KernelConfig, T1, T2, T3, T4, T5, T6> GroupKernel<T1, T2, T3, T4, T5, T6>(Action<T1, T2, T3, T4, T5, T6> method)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct
        where T6 : struct => Own(method, true, () =>
    {
        var launch = Accelerator.LoadKernel<T1, T2, T3, T4, T5, T6>(method);
        return new Action<KernelConfig, T1, T2, T3, T4, T5, T6>((config, a, b, c, d, e, f) =>
        {
            if (HasWork(method, config))
            {
                using var turn = Turn.Enter();
                launch(Stream, config, Here(method, a), Here(method, b), Here(method, c), Here(method, d), Here(method, e), Here(method, f));
                Counters.CountLaunch();
            }
        });
    });
}
