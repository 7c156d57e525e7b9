using Ldvc.Autograd;
using Ldvc.Bench.Profile;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Bench.Compare.Ours;

/// <summary>What our works share: the device, the inputs, and turning tensors into outputs.</summary>
internal abstract class OurWork : IWork
{
    private readonly string _folder;

    protected OurWork(string folder, WorkDevice on)
    {
        _folder = folder;
        Device = on.Open();
    }

    public long DeviceAllocations => Device.Pool.DeviceAllocations;

    public virtual int Parts => 1;

    /// <summary>Gives back what the check needed and the timed runs may not.</summary>
    internal void Trim()
    {
        Device.Pool.Trim();
        Device.Pool.ResetPeak();
    }

    /// <summary>Where the memory of the runs since <see cref="Trim"/> went.</summary>
    internal string Memory()
    {
        const double mebibyte = 1 << 20;
        return $"memory in MiB: tensors at most {Device.Pool.PeakBytes / mebibyte:F0}, kept by the pool {Device.Pool.ReservedBytes / mebibyte:F0}, "
            + $"committed by the garbage collector {GC.GetGCMemoryInfo().TotalCommittedBytes / mebibyte:F0}";
    }

    protected Device Device { get; }

    public abstract IReadOnlyList<Named> Check();

    public abstract void Run();

    public virtual bool IsSettled => true;

    public void Wait() => Device.Synchronize();

    public double PeakMebibytes => Device is CpuDevice ? ProcessMemory.Peak : Device.Pool.PeakBytes / (double)(1 << 20);

    public double ResidentMebibytes => Device is CpuDevice ? ProcessMemory.Resident : Device.Pool.LiveBytes / (double)(1 << 20);

    public virtual void Dispose() => Device.Dispose();

    /// <summary>One run with a stopwatch around every kernel.</summary>
    internal virtual KernelRecorder Record()
    {
        var recorder = new KernelRecorder();
        using (recorder.Attach(Device))
        {
            Run();
            recorder.EndPhase("run");
        }

        return recorder;
    }

    protected Tensor Input(string name)
    {
        using var archive = TensorArchive.Open(Path.Combine(_folder, "inputs.safetensors"));
        return Device.FromHost(archive.ReadFloat32(name), new Shape([.. archive.Entry(name).Shape.Select(s => (int)s)]));
    }

    protected int[] Integers(string name)
    {
        using var archive = TensorArchive.Open(Path.Combine(_folder, "inputs.safetensors"));
        return archive.ReadInt32(name);
    }

    protected TensorArchive Clip() => TensorArchive.Open(Path.Combine(_folder, "clip.safetensors"));

    protected static Named Out(string name, Tensor tensor) => new(name, tensor.Shape.ToArray(), tensor.ToArray());

    protected static IEnumerable<Named> Gradients(IEnumerable<(string Name, Parameter Parameter)> parameters)
    {
        foreach (var (name, parameter) in parameters)
        {
            if (parameter.Gradient is { } gradient)
            {
                yield return Out("grad." + name, gradient);
                parameter.ClearGradient();
            }
        }
    }
}
