using System.Diagnostics;
using System.Reflection;
using Ldvc.Kernels;
using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;

namespace Ldvc.Bench.Profile;

/// <summary>One kernel call: family and method, its sizes, seconds since the recorder was made.</summary>
internal readonly record struct KernelCall(string Kernel, string Detail, double Start, double End)
{
    internal double Seconds => End - Start;
}

/// <summary>Puts a stopwatch around every kernel of a device, whoever calls it.</summary>
internal sealed class KernelRecorder
{
    private readonly long _origin = Stopwatch.GetTimestamp();

    internal List<KernelCall> Calls { get; } = [];

    /// <summary>Phases of the step, laid over the kernels.</summary>
    internal List<KernelCall> Phases { get; } = [];

    internal double Now => Stopwatch.GetElapsedTime(_origin).TotalSeconds;

    /// <summary>Replaces the device's kernels by recorded ones.</summary>
    internal void Attach(Device device)
    {
        var set = KernelSet.For(device);
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
        };
    }

    /// <summary>Ends the phase that began when the last one ended.</summary>
    internal void EndPhase(string name) => Phases.Add(new KernelCall(name, string.Empty, Phases.Count == 0 ? 0 : Phases[^1].End, Now));

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
                return $"{(g.Batch > 1 ? $"{g.Batch} x " : string.Empty)}{g.M} x {g.K} x {g.N} {(g.TransposeA ? 'T' : 'N')}{(g.TransposeB ? 'T' : 'N')}";
            }
        }

        return string.Join(' ', arguments.Where(a => a is int or long));
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
            double start = _recorder!.Now;
            object? result = targetMethod!.Invoke(_kernels, args);
            _recorder.Calls.Add(new KernelCall($"{_family}.{targetMethod.Name}", Detail(args!), start, _recorder.Now));
            return result;
        }
    }
#pragma warning restore CA1852
}
