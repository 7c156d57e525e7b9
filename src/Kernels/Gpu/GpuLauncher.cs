using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.Gpu;

/// <summary>Compiles kernels for one device, each once and on first use, and queues them on the device's stream.</summary>
internal sealed unsafe class GpuLauncher : IDisposable
{
    // What every device gives without being asked.
    private const int UsualSharedBytes = 48 << 10;
    private const int MaxDynamicSharedMemoryAttribute = 8;

    private readonly List<Kernel> _kernels = [];
    private readonly PtxBuilder? _builder;
    private Delegate?[] _delegates = [];
    private StepState? _state;

    internal GpuLauncher(GpuDevice device)
    {
        Device = device;
        Workspace = new GpuWorkspace(device);
        PartialSums = new GpuWorkspace(device);
        Packs = new PackList(this);
        Half = new HalfState(device);
        Multiprocessors = device.Accelerator.NumMultiprocessors;
        if (device.Accelerator is CudaAccelerator cuda)
        {
            _builder = new PtxBuilder(device.Context, cuda.Architecture, cuda.InstructionSet);
        }
        else
        {
            GpuIntrinsics.Register(device.Context);
        }
    }

    internal GpuDevice Device { get; }

    /// <summary>Scratch memory of whichever kernel family runs.</summary>
    internal GpuWorkspace Workspace { get; }

    /// <summary>Partial sums of products, whose operands may lie in the workspace.</summary>
    internal GpuWorkspace PartialSums { get; }

    /// <summary>What changes from step to step, for kernels whose launches do not.</summary>
    internal StepState State => _state ??= NewState();

    /// <summary>Matrices that the next kernel wants rounded.</summary>
    internal PackList Packs { get; }

    /// <summary>What kernels of fp16 say to the host and to each other.</summary>
    internal HalfState Half { get; }

    /// <summary>Blocks of the pool that kernel families keep from call to call, the workspaces' included: not a leak.</summary>
    internal int HeldBlocks => Workspace.Blocks + PartialSums.Blocks + TableBlocks + Half.Blocks + (_state is null ? 0 : 1);

    /// <summary>Blocks that tables of tensors hold.</summary>
    internal int TableBlocks { get; set; }

    /// <summary>
    /// When set, launches are reported to it and not run, with groups as on a card: for lists of what a step would launch.
    /// </summary>
    internal Action<GpuLaunch>? Recorder { get; set; }

    /// <summary>When set, called in place of every launch, with what launches: for profiles.</summary>
    internal Action<GpuLaunch, Action>? Watch { get; set; }

    /// <summary>Multiprocessors to fill: the device's, or those of a card that launches are recorded for.</summary>
    internal int Multiprocessors { get; set; }

    /// <summary>Threads of a group on this device.</summary>
    internal int GroupSize(GpuKernel kernel) =>
        Device.Kind == GpuKind.Simulator && kernel.AnyGroup && Recorder is null
            ? Math.Min(kernel.GroupSize, Device.Accelerator.WarpSize)
            : kernel.GroupSize;

    /// <summary>Queues a kernel on a grid of groups. The y and z sizes of a grid must be below 65536 (CUDA's limit).</summary>
    internal void Launch<TArgs>(GpuKernel<TArgs> kernel, int gridX, int gridY, int gridZ, in TArgs args, int dynamicSharedBytes = 0)
        where TArgs : struct
    {
        if (gridX == 0 || gridY == 0 || gridZ == 0)
        {
            return;
        }

        if (gridY > GpuSizes.MaxGrid || gridZ > GpuSizes.MaxGrid)
        {
            throw new ArgumentException(
                $"kernel {kernel}: a grid of {gridX} x {gridY} x {gridZ} groups, expected at most {GpuSizes.MaxGrid} in y and z");
        }

        if (Recorder is { } record)
        {
            record(new GpuLaunch(kernel, gridX, gridY, gridZ, dynamicSharedBytes, args));
            Device.Counters.CountLaunch();
            return;
        }

        using var turn = Device.Turn.Enter();

        // Profilers know kernels by their method: most are called Run.
        using var range = Device.Range(kernel.Name);
        var launch = Load(kernel);
        var grid = new Index3D(gridX, gridY, gridZ);
        var group = new Index3D(GroupSize(kernel), 1, 1);
        var config = dynamicSharedBytes == 0
            ? new KernelConfig(grid, group)
            : new KernelConfig(grid, group, SharedMemoryConfig.RequestDynamic<byte>(dynamicSharedBytes));
        if (Watch is null)
        {
            launch(Device.Stream, config, args);
        }
        else
        {
            Watched(launch, config, new GpuLaunch(kernel, gridX, gridY, gridZ, dynamicSharedBytes, args), args);
        }

        Device.Counters.CountLaunch();
    }

    /// <summary>Queues a kernel on a row of groups.</summary>
    internal void Launch<TArgs>(GpuKernel<TArgs> kernel, int groups, in TArgs args)
        where TArgs : struct => Launch(kernel, groups, 1, 1, args);

    /// <summary>Queues a kernel with at least one thread an item.</summary>
    internal void LaunchItems<TArgs>(GpuKernel<TArgs> kernel, long items, in TArgs args)
        where TArgs : struct
    {
        long size = GroupSize(kernel);
        Launch(kernel, checked((int)((items + size - 1) / size)), 1, 1, args);
    }

    /// <summary>Compiles a kernel unless it is already.</summary>
    /// <exception cref="NotSupportedException">The compiler refuses it.</exception>
    /// <exception cref="InputException">The device lacks what it needs.</exception>
    internal Action<AcceleratorStream, KernelConfig, TArgs> Load<TArgs>(GpuKernel<TArgs> kernel)
        where TArgs : struct
    {
        if (kernel.Index < _delegates.Length && _delegates[kernel.Index] is Action<AcceleratorStream, KernelConfig, TArgs> known)
        {
            return known;
        }

        Device.Capture?.Refuse($"kernel {kernel} is compiled");
        Require(kernel);
        Action<AcceleratorStream, KernelConfig, TArgs> launch;
        try
        {
            var loaded = Compile(kernel);
            launch = loaded.CreateLauncherDelegate<Action<AcceleratorStream, KernelConfig, TArgs>>();
            _kernels.Add(loaded);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            var inner = e;
            while (inner.InnerException is { } deeper)
            {
                inner = deeper;
            }

            if (inner is CapabilityNotSupportedException)
            {
                throw new InputException($"{Device.Name}: kernel {kernel} needs what {Device.Accelerator.Name} does not have "
                    + $"({inner.Message.TrimEnd('.')}); expected a device that has it, or device cpu", e);
            }

            throw new NotSupportedException($"kernel {kernel}: ILGPU cannot compile it for {Device.Name}: {inner.Message}; open the device anew, new "
                + "kernels do not compile on it any more", e);
        }

        if (kernel.Index >= _delegates.Length)
        {
            Array.Resize(ref _delegates, Math.Max(GpuKernel.Count, kernel.Index + 1));
        }

        _delegates[kernel.Index] = launch;
        return launch;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Workspace.Dispose();
        PartialSums.Dispose();
        _state?.Dispose();
        Half.Dispose();
        foreach (var kernel in _kernels)
        {
            kernel.Dispose();
        }

        _kernels.Clear();
        _delegates = [];
        _builder?.Dispose();
    }

    // Its clearing would be part of a graph, and undo what is written before each start (HalfState).
    private StepState NewState()
    {
        Device.Capture?.Refuse("a step's numbers are cleared", StepState.Bytes);
        return new StepState(Device);
    }

    // What a group may have differs between OpenCL devices, and a driver's own words for too much come late and say little.
    private void Require(GpuKernel kernel)
    {
        Accelerator accelerator = Device.Accelerator;
        int bytes = kernel.SharedBytes + kernel.DynamicSharedBytes;
        bool fits = kernel.GroupSize <= accelerator.MaxNumThreadsPerGroup && bytes <= accelerator.MaxSharedMemoryPerGroup;
        if (Device.Kind == GpuKind.OpenCl && !fits)
        {
            throw new InputException(
                $"{Device.Name}: kernel {kernel} needs groups of {kernel.GroupSize} threads with {bytes} bytes of shared memory, "
                    + $"{accelerator.Name} has at most {accelerator.MaxNumThreadsPerGroup} and {accelerator.MaxSharedMemoryPerGroup}; "
                    + "expected a device that has more, or device cpu");
        }
    }

    // Apart from Launch, which would otherwise make an object for the lambda's variables every time.
    private void Watched<TArgs>(Action<AcceleratorStream, KernelConfig, TArgs> launch, KernelConfig config, GpuLaunch what, TArgs args)
        where TArgs : struct => Watch!(what, () => launch(Device.Stream, config, args));

    private Kernel Compile(GpuKernel kernel)
    {
        var accelerator = Device.Accelerator;
        if (_builder is null)
        {
            return accelerator.LoadKernel(kernel.Method);
        }

        accelerator.Bind();
        var loaded = accelerator.LoadKernel(_builder.Compile(kernel));
        if (kernel.SharedBytes + kernel.DynamicSharedBytes > UsualSharedBytes)
        {
            AllowSharedMemory(kernel, ((CudaKernel)loaded).FunctionPtr);
        }

        return loaded;
    }

    // More than 48 KiB must be asked for by name, which ILGPU has no call for.
    private static void AllowSharedMemory(GpuKernel kernel, nint function)
    {
        string name = OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";
        var set = (delegate* unmanaged<nint, int, int, int>)NativeLibrary.GetExport(NativeLibrary.Load(name), "cuFuncSetAttribute");
        int error = set(function, MaxDynamicSharedMemoryAttribute, kernel.DynamicSharedBytes);
        if (error != 0)
        {
            throw new NotSupportedException(
                $"the device does not give {kernel.DynamicSharedBytes} bytes of dynamic shared memory (cuFuncSetAttribute returned {error})");
        }
    }
}
