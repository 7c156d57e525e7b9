using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace Ldvc.Tensors.Gpu;

/// <summary>
/// Opens GPU devices and lists what there is. Every device has an ILGPU context of its own: a kernel that does not compile spoils one only.
/// </summary>
internal static class GpuPlatform
{
    // The simulator's group limit is warp size times warps: 256 threads, the largest group that the kernels use.
    private const int SimulatorWarp = 32;
    private const int SimulatorWarps = 8;

    /// <summary>
    /// Whoever opens or lists devices holds it: drivers come to life on their first call, and OpenCL's have no devices for a second thread that asks
    /// meanwhile, or end the program.
    /// </summary>
    internal static readonly Lock Opening = new();

    /// <summary>Opens device number <paramref name="index"/> of a kind.</summary>
    /// <param name="kind">What drives it.</param>
    /// <param name="index">Its number.</param>
    /// <param name="memoryLimit">Bytes to take at most.</param>
    /// <param name="chunkBytes">Size of the big buffers; 0 for the usual one.</param>
    /// <param name="profiling">Whether its stream can be timed by the device.</param>
    /// <exception cref="InputException">There is no such device; the message says what there is.</exception>
    internal static GpuDevice Open(GpuKind kind, int index, long memoryLimit = long.MaxValue, long chunkBytes = 0, bool profiling = false)
    {
        using var opening = Opening.EnterScope();
        var context = CreateContext(kind, profiling);
        try
        {
            if (kind == GpuKind.Simulator)
            {
                var simulated = new CPUDevice(SimulatorWarp, SimulatorWarps, 1).CreateCPUAccelerator(context, CPUAcceleratorMode.Parallel);
                return new GpuDevice(kind, "simulator", context, simulated, memoryLimit, chunkBytes);
            }

            var devices = Devices(kind, context);
            if (index >= devices.Count)
            {
                string there = devices.Count == 0
                    ? "none was found"
                    : $"there is {string.Join(", ", devices.Select((d, i) => $"{Word(kind)}:{i} = {d.Name}"))}";
                throw new InputException($"device {Word(kind)}:{index}: no such device, {there} (`ldvc doctor`, the tool, says more)");
            }

            string name = $"{Word(kind)}:{index}";
            return new GpuDevice(kind, name, context, Create(devices[index], context, name), memoryLimit, chunkBytes);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>Opens a device that was found.</summary>
    /// <param name="device">The device.</param>
    /// <param name="context">Whose it is.</param>
    /// <param name="name">What the user calls it.</param>
    /// <exception cref="InputException">Its driver or ILGPU does not want to.</exception>
    internal static Accelerator Create(ILGPU.Runtime.Device device, Context context, string name)
    {
        try
        {
            return device.CreateAccelerator(context);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            string why = e.GetBaseException().Message.Split('\n')[0].Trim().TrimEnd('.');
            throw new InputException($"device {name}: {device.Name} cannot be opened ({why}); `ldvc doctor`, the tool, says more", e);
        }
    }

    /// <summary>The devices of a kind: names, memory sizes, and whether they compute in double precision.</summary>
    internal static IReadOnlyList<(string Name, long Bytes, bool Float64)> List(GpuKind kind)
    {
        using var opening = Opening.EnterScope();
        using var context = CreateContext(kind);
        return [.. Devices(kind, context).Select(d => (d.Name, d.MemorySize, d is not CLDevice { Capabilities.Float64: false }))];
    }

    private static string Word(GpuKind kind) => kind switch { GpuKind.Cuda => "cuda", GpuKind.OpenCl => "opencl", _ => "simulator" };

    private static Context CreateContext(GpuKind kind, bool profiling = false)
    {
        GpuLibraries.Resolve();
        try
        {
            return Context.Create(builder =>
            {
                switch (kind)
                {
                    case GpuKind.Cuda:
                        builder.Cuda();
                        break;
                    case GpuKind.OpenCl:
                        builder.OpenCL(_ => true);
                        break;
                    default:
                        builder.CPU(new CPUDevice(SimulatorWarp, SimulatorWarps, 1));
                        break;
                }

                builder.EnableAlgorithms().Optimize(OptimizationLevel.O2);
                if (profiling)
                {
                    builder.Profiling();
                }
            });
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw Unusable(kind, e);
        }
    }

    /// <summary>Why ILGPU has no context. It finds methods of .NET by their names, which a trimmed program may have lost.</summary>
    internal static InputException Unusable(GpuKind kind, Exception e)
    {
        var cause = e.GetBaseException();
        string said = cause.Message.Split('\n')[0].Trim().TrimEnd('.');
        bool lost = cause is MissingMemberException or PlatformNotSupportedException
            || (cause is NotSupportedException && said.Contains("intrinsic", StringComparison.Ordinal));
        string what = lost
            ? $"ILGPU lacks a part of .NET ({said}); a program that was trimmed or compiled ahead of time has the device cpu only"
            : $"the driver's library cannot be used ({said}); `ldvc doctor`, the tool, says more";
        return new InputException($"device {Word(kind)}: {what}", e);
    }

    private static List<ILGPU.Runtime.Device> Devices(GpuKind kind, Context context)
    {
        var found = new List<ILGPU.Runtime.Device>();
        if (kind == GpuKind.Cuda)
        {
            foreach (var device in context.GetCudaDevices())
            {
                found.Add(device);
            }

            return found;
        }

        foreach (var device in context.GetCLDevices())
        {
            // ILGPU wants a generic address space. PoCL before 4 has none to report, and the kernels never use one: all their pointers have a
            // known address space.
            if (device.DeviceType.HasFlag(CLDeviceType.CL_DEVICE_TYPE_CPU) && !device.Capabilities.GenericAddressSpace)
            {
                typeof(CLCapabilityContext).GetProperty(nameof(CLCapabilityContext.GenericAddressSpace))!.SetValue(device.Capabilities, true);
            }

            found.Add(device);
        }

        return found;
    }
}
