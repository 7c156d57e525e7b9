using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Cases;

/// <summary>A kernel call with its tensors on a device. Launch may be called again and again; Compare looks at the first launch's results.</summary>
internal sealed class KernelRun(Device device) : IDisposable
{
    private readonly List<Tensor> _tensors = [];

    /// <summary>The device's kernels.</summary>
    internal KernelSet Kernels { get; } = KernelSet.For(device);

    /// <summary>The call; set when all tensors are there.</summary>
    internal Action Launch { get; set; } = () => throw new InvalidOperationException("a kernel case sets Launch");

    /// <summary>Compares what one launch wrote with the reference; null at a real size.</summary>
    internal Func<IEnumerable<CaseDifference>>? Compare { get; set; }

    /// <summary>Uploads floats; the run owns the tensor.</summary>
    internal Tensor Floats(float[] values) => Own(device.FromHost(values, new Shape(values.Length)));

    /// <summary>Uploads a matrix of floats; the run owns the tensor.</summary>
    internal Tensor Floats(float[] values, int rows, int columns) => Own(device.FromHost(values, new Shape(rows, columns)));

    /// <summary>Uploads bytes; the run owns the tensor.</summary>
    internal Tensor Bytes(byte[] values) => Own(device.FromHost(values, new Shape(values.Length)));

    /// <summary>Uploads 32-bit integers; the run owns the tensor.</summary>
    internal Tensor Ints(int[] values) => Own(device.FromHost(values, new Shape(values.Length)));

    /// <summary>A tensor to be written; the run owns it.</summary>
    internal Tensor Empty(int count, DType type = DType.Float32) => Own(device.Empty(new Shape(count), type));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _tensors)
        {
            tensor.Dispose();
        }
    }

    private Tensor Own(Tensor tensor)
    {
        _tensors.Add(tensor);
        return tensor;
    }
}
