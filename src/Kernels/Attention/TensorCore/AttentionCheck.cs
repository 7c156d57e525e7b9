using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Attention.TensorCore;

/// <summary>Tensors of a small attention problem on a device, run with two sets of kernels and compared: o and the three gradients.</summary>
internal sealed class AttentionCheck : IDisposable
{
    private readonly List<Tensor> _tensors = [];
    private readonly Tensor[] _outputs;

    internal AttentionCheck(Device device, int tokens, int width, int heads)
    {
        TokenRows Rows(Tensor tensor) => new(tensor, (long)tokens * width, width);
        TokenRows Input(ulong stream)
        {
            var random = new CounterRandom(5, stream);
            var values = new float[tokens * width];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (float)random.NextNormal();
            }

            return Rows(Keep(device.FromHost(values, new Shape(values.Length))));
        }

        (Q, K, V, Dout) = (Input(1), Input(2), Input(3), Input(4));
        _outputs = [.. Enumerable.Range(0, 4).Select(_ => Keep(device.Zeros(new Shape(tokens * width))))];
        (O, Dq, Dk, Dv) = (Rows(_outputs[0]), Rows(_outputs[1]), Rows(_outputs[2]), Rows(_outputs[3]));
        LogSumExp = Keep(device.Zeros(new Shape(heads * tokens)));
        Scratch = Keep(device.Zeros(new Shape(2 * tokens * width)));
    }

    internal TokenRows Q { get; }

    internal TokenRows K { get; }

    internal TokenRows V { get; }

    internal TokenRows Dout { get; }

    internal TokenRows O { get; }

    internal TokenRows Dq { get; }

    internal TokenRows Dk { get; }

    internal TokenRows Dv { get; }

    internal View LogSumExp { get; }

    internal View Scratch { get; }

    /// <summary>Largest difference between what two sets of kernels make of the problem.</summary>
    internal double Difference<T>(T expected, T actual, Action<T, AttentionCheck> run)
    {
        run(expected, this);
        float[][] first = [.. _outputs.Select(tensor => tensor.ToArray())];
        run(actual, this);
        return first.Zip(_outputs, (values, tensor) => TensorCoreGate.Difference(values, tensor.ToArray())).Max();
    }

    /// <summary>Frees a tensor at the end.</summary>
    internal Tensor Keep(Tensor tensor)
    {
        _tensors.Add(tensor);
        return tensor;
    }

    /// <inheritdoc/>
    public void Dispose() => _tensors.ForEach(tensor => tensor.Dispose());
}
