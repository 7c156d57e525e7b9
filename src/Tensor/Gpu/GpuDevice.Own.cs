using System.Reflection;

namespace Ldvc.Tensors.Gpu;

public sealed partial class GpuDevice
{
    private readonly Dictionary<(MethodInfo Method, bool Grouped), Delegate> _ownKernels = [];

    // A launcher made once is found again by its method: kernels of the framework have their own table, in Ldvc.Kernels.
    private TLaunch Own<TLaunch>(Delegate method, bool grouped, Func<TLaunch> load)
        where TLaunch : Delegate
    {
        ArgumentNullException.ThrowIfNull(method);
        var key = (method.Method, grouped);
        lock (_ownKernels)
        {
            if (_ownKernels.TryGetValue(key, out var known))
            {
                return (TLaunch)known;
            }

            string name = $"{method.Method.DeclaringType?.Name}.{method.Method.Name}";
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
}
