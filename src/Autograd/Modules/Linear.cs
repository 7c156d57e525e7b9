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
        double bound = 1 / Math.Sqrt(inputs);
        Weight = Add("weight", init.Uniform(new Shape(outputs, inputs), bound));
        Bias = bias ? Add("bias", init.Uniform(new Shape(outputs), bound)) : null;
    }

    /// <summary>[outputs, inputs].</summary>
    public Parameter Weight { get; }

    /// <summary>[outputs], or null.</summary>
    public Parameter? Bias { get; }

    /// <summary>x [..., inputs] -> activation(x W^T + b) + residual [..., outputs].</summary>
    public Variable Forward(Tape tape, Variable x, Activation activation = Activation.None, Variable? residual = null) =>
        tape.Linear(x, Weight, Bias, activation, residual);
}
