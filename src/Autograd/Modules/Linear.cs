using Ldvc.Autograd.Ops;
using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Modules;

/// <summary>y = x W^T + b with PyTorch's initialisation: weight and bias uniform within 1 / sqrt(inputs).</summary>
public sealed class Linear : Module
{
    /// <summary>Creates weight [outputs, inputs] and, unless told otherwise, bias [outputs].</summary>
    public Linear(Initializer init, int inputs, int outputs, bool bias = true)
    {
        ArgumentNullException.ThrowIfNull(init);
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        double bound = 1 / Math.Sqrt(inputs);
        Weight = Add("weight", init.Uniform(new Shape(outputs, inputs), bound));
        Bias = bias ? Add("bias", () => init.Uniform(new Shape(outputs), bound)) : null;
    }

    private Linear(Parameter weight, Parameter bias)
    {
        Weight = Add("weight", weight);
        Bias = Add("bias", bias);
    }

    /// <summary>[outputs, inputs].</summary>
    public Parameter Weight { get; }

    /// <summary>[outputs], or null.</summary>
    public Parameter? Bias { get; }

    /// <summary>
    /// The same maps, all of them with biases, whose weights lie one after the other in memory, as do their biases: an operation may take them for
    /// one. The ones given are disposed of.
    /// </summary>
    internal static Linear[] Join(params ReadOnlySpan<Linear> linears)
    {
        Parameter[] weights = Joined(linears, linear => linear.Weight), biases = Joined(linears, linear => linear.Bias!);
        var joined = new Linear[linears.Length];
        for (int i = 0; i < joined.Length; i++)
        {
            joined[i] = new Linear(weights[i], biases[i]);
            linears[i].Dispose();
        }

        return joined;
    }

    private static Parameter[] Joined(ReadOnlySpan<Linear> linears, Func<Linear, Parameter> choose)
    {
        int rows = 0;
        foreach (var linear in linears)
        {
            rows += choose(linear).Shape[0];
        }

        var first = choose(linears[0]).Value;
        int[] sizes = first.Shape.ToArray();
        sizes[0] = rows;
        using var all = first.Device.Empty(new Shape(sizes));
        var parts = new Parameter[linears.Length];
        for (int i = 0, at = 0; i < parts.Length; i++)
        {
            var value = choose(linears[i]).Value;
            var part = all.Slice(at, value.Shape[0]);
            part.CopyFrom(value);
            parts[i] = new Parameter(part);
            at += value.Shape[0];
        }

        return parts;
    }

    /// <summary>x [..., inputs] -> activation(x W^T + b) + residual [..., outputs].</summary>
    public Variable Forward(Tape tape, Variable x, Activation activation = Activation.None, Variable? residual = null) =>
        tape.Linear(x, Weight, Bias, activation, residual);
}
