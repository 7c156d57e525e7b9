using System.Reflection;
using ILGPU;

namespace Ldvc.Tensors.Gpu;

public sealed partial class GpuDevice
{
    private readonly Dictionary<(MethodInfo Method, bool Grouped), Delegate> _ownKernels = [];

    // A launcher made once is found again by its method: kernels of the framework have their own table, in Ldvc.Kernels.
    private TLaunch Own<TLaunch>(Delegate method, bool grouped, Func<TLaunch> load)
        where TLaunch : Delegate
    {
        ArgumentNullException.ThrowIfNull(method);
        ThrowIfDisposed($"kernel {NameOf(method)}");
        var key = (method.Method, grouped);
        lock (_ownKernels)
        {
            if (_ownKernels.TryGetValue(key, out var known))
            {
                return (TLaunch)known;
            }

            string name = NameOf(method);
            if (!method.Method.IsStatic)
            {
                throw new NotSupportedException($"kernel {name}: expected a static method, got one of an object; lambdas are not static either");
            }

            Capture?.Refuse($"kernel {name} is compiled");
            try
            {
                Accelerator.Bind();
                var launch = load();
                _ownKernels.Add(key, launch);
                return launch;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                var inner = e;
                while (inner.InnerException is { } deeper)
                {
                    inner = deeper;
                }

                throw new NotSupportedException($"kernel {name}: ILGPU cannot compile it for {Name}: {inner.Message}; open the device anew, new "
                    + "kernels do not compile on it any more", e);
            }
        }
    }

    private static string NameOf(Delegate method) => $"{method.Method.DeclaringType?.Name}.{method.Method.Name}";

    // Whether there is anything to launch: drivers refuse an empty grid. A negative size is refused here, since drivers differ in what they do with
    // one.
    private bool HasWork<TIndex>(Delegate method, TIndex index)
        where TIndex : struct, IIndex
    {
        ThrowIfDisposed($"kernel {NameOf(method)}");
        long smallest = index switch
        {
            Index1D one => one.X,
            Index2D two => Math.Min(two.X, two.Y),
            Index3D three => Math.Min(Math.Min(three.X, three.Y), three.Z),
            _ => index.Size,
        };
        return smallest >= 0
            ? index.Size != 0
            : throw new ArgumentOutOfRangeException(nameof(index), $"kernel {NameOf(method)}: expected an index of sizes of at least 0, got {index}");
    }

    private bool HasWork(Delegate method, KernelConfig config)
    {
        ThrowIfDisposed($"kernel {NameOf(method)}");
        return config.GroupDim.Size > 0
            ? config.GridDim.Size != 0
            : throw new ArgumentOutOfRangeException(
                nameof(config), $"kernel {NameOf(method)}: expected groups of at least 1 thread, got {config.GroupDim}");
    }

    // An argument of a launch. Addresses of another device mean nothing here, or something else.
    private T Here<T>(Delegate method, T argument)
        where T : struct => argument is not IArrayView { Buffer: { } buffer } || buffer.Accelerator == Accelerator
            ? argument
            : throw new ArgumentException($"kernel {NameOf(method)}: expected views of tensors on this device, {Name}, got one of another device");
}
