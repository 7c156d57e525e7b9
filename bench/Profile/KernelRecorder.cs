using System.Diagnostics;
using System.Reflection;
using ILGPU.Runtime;
using Ldvc.Kernels;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Bench.Profile;

/// <summary>One kernel call: family and method, its sizes, seconds since the recorder was made.</summary>
internal readonly record struct KernelCall(string Kernel, string Detail, double Start, double End)
{
    internal double Seconds => End - Start;
}

/// <summary>
/// Puts a stopwatch around every kernel of a device, whoever calls it. On a GPU with events these are the device's own, and every launch has its row:
/// a call may launch several.
/// </summary>
internal sealed class KernelRecorder
{
    private readonly List<(string Kernel, string Detail, ProfilingMarker Start, ProfilingMarker End)> _launches = [];
    private long _origin = Stopwatch.GetTimestamp();
    private GpuDevice? _gpu;
    private string _detail = string.Empty;

    internal List<KernelCall> Calls { get; } = [];

    /// <summary>Phases of the step, laid over the kernels.</summary>
    internal List<KernelCall> Phases { get; } = [];

    internal double Now => Stopwatch.GetElapsedTime(_origin).TotalSeconds;

    /// <summary>Replaces the device's kernels by recorded ones, until the result is disposed of.</summary>
    internal IDisposable Attach(Tensors.Device device)
    {
        var set = KernelSet.For(device);
        _gpu = device is GpuDevice { HasEvents: true } gpu ? gpu : null;
        if (_gpu is not null)
        {
            set.Launcher!.Watch = Watch;
        }

        device.Synchronize();
        _origin = Stopwatch.GetTimestamp();
        device.Kernels = new KernelSet
        {
            MatMul = Wrap(set.MatMul),
            Normalization = Wrap(set.Normalization),
            Elementwise = Wrap(set.Elementwise),
            Tokens = Wrap(set.Tokens),
            Attention = Wrap(set.Attention),
            RouteAttention = Wrap(set.RouteAttention),
            Resample = Wrap(set.Resample),
            MaskLoss = Wrap(set.MaskLoss),
            CrossEntropy = Wrap(set.CrossEntropy),
            Segmentation = Wrap(set.Segmentation),
            Reduction = Wrap(set.Reduction),
            Optimizer = Wrap(set.Optimizer),
            Launcher = set.Launcher,
        };
        return new Attached(device, set);
    }

    /// <summary>Ends the phase that began when the last one ended.</summary>
    internal void EndPhase(string name)
    {
        _gpu?.Synchronize();
        double now = Now, start = Phases.Count == 0 ? 0 : Phases[^1].End;
        Phases.Add(new KernelCall(name, string.Empty, start, now));
        foreach (var launch in _launches)
        {
            // The device's clock is not the host's: the phase's first launch is laid to the phase's beginning.
            double begin = start + launch.Start.MeasureFrom(_launches[0].Start).TotalSeconds;
            Calls.Add(new KernelCall(launch.Kernel, launch.Detail, begin, begin + launch.End.MeasureFrom(launch.Start).TotalSeconds));
        }

        foreach (var launch in _launches)
        {
            launch.Start.Dispose();
            launch.End.Dispose();
        }

        _launches.Clear();
    }

    private void Watch(GpuLaunch launch, Action run)
    {
        var start = _gpu!.Stream.AddProfilingMarker();
        run();
        _launches.Add((launch.Kernel.Name, _detail.Length > 0 ? _detail : $"{launch.GridX} x {launch.GridY} x {launch.GridZ} groups", start,
            _gpu.Stream.AddProfilingMarker()));
    }

    private T Wrap<T>(T kernels)
        where T : class
    {
        object proxy = DispatchProxy.Create<T, Proxy>();
        ((Proxy)proxy).Set(this, kernels, typeof(T).Name.Replace("Kernels", string.Empty, StringComparison.Ordinal)[1..]);
        return (T)proxy;
    }

    private static string Detail(object?[] arguments)
    {
        foreach (object? argument in arguments)
        {
            if (argument is Gemm g)
            {
                return $"{(g.Batch > 1 ? $"{g.Batch} x " : string.Empty)}{g.M} x {g.K} x {g.N} "
                    + $"{(g.TransposeA ? 'T' : 'N')}{(g.TransposeB ? 'T' : 'N')}";
            }
        }

        return string.Join(' ', arguments.Where(a => a is int or long));
    }

    private sealed class Attached(Tensors.Device device, KernelSet plain) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose()
        {
            device.Kernels = plain;
            if (plain.Launcher is not null)
            {
                plain.Launcher.Watch = null;
            }
        }
    }

    /// <summary>Base of the generated class that stands for a family.</summary>
#pragma warning disable CA1852 // DispatchProxy derives from it at run time.
    internal class Proxy : DispatchProxy
    {
        private KernelRecorder? _recorder;
        private object? _kernels;
        private string _family = string.Empty;

        internal void Set(KernelRecorder recorder, object kernels, string family) => (_recorder, _kernels, _family) = (recorder, kernels, family);

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (_recorder!._gpu is not null)
            {
                _recorder._detail = Detail(args!);
                object? queued = targetMethod!.Invoke(_kernels, args);
                _recorder._detail = string.Empty;
                return queued;
            }

            double start = _recorder.Now;
            object? result = targetMethod!.Invoke(_kernels, args);
            _recorder.Calls.Add(new KernelCall($"{_family}.{targetMethod.Name}", Detail(args!), start, _recorder.Now));
            return result;
        }
    }
#pragma warning restore CA1852
}
