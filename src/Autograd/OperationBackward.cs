using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>What the backward of an <see cref="Operation"/> works on.</summary>
public sealed class OperationBackward
{
    private readonly string _name;
    private readonly Tensor?[] _inputs;
    private readonly Tensor? _output;
    private readonly Tensor?[] _gradients;

    internal OperationBackward(string name, Tensor?[] inputs, Tensor? output, IReadOnlyList<Tensor> kept, Tensor outputGradient, Tensor?[] gradients)
    {
        (_name, _inputs, _output, Kept, OutputGradient, _gradients) = (name, inputs, output, kept, outputGradient, gradients);
    }

    /// <summary>What the forward kept, in that order.</summary>
    public IReadOnlyList<Tensor> Kept { get; }

    /// <summary>
    /// dy: the gradient of the loss with respect to the output, of its shape. It must not be changed: other operations may share it.
    /// </summary>
    public Tensor OutputGradient { get; }

    /// <summary>The output's value.</summary>
    /// <exception cref="InvalidOperationException">The operation does not save it.</exception>
    public Tensor Output => _output
        ?? throw new InvalidOperationException($"{_name}: the output was not saved; expected {nameof(Operation.SavesOutput)} to be true");

    /// <summary>The value of an input.</summary>
    /// <param name="input">Its position in the call.</param>
    /// <exception cref="InvalidOperationException">The operation does not save it.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The call had no such input.</exception>
    public Tensor Input(int input) => _inputs[Position(input)]
        ?? throw new InvalidOperationException($"{_name}: input {input} was not saved; expected {nameof(Operation.SavesInput)} to be true for it");

    /// <summary>Whether an input needs a gradient.</summary>
    /// <param name="input">Its position in the call.</param>
    /// <exception cref="ArgumentOutOfRangeException">The call had no such input.</exception>
    public bool NeedsGradient(int input) => _gradients[Position(input)] is not null;

    /// <summary>The buffer for the gradient of an input that needs one: of the input's shape, zero at first, of this call alone.</summary>
    /// <param name="input">Its position in the call.</param>
    /// <exception cref="InvalidOperationException">The input needs no gradient (<see cref="NeedsGradient"/>).</exception>
    /// <exception cref="ArgumentOutOfRangeException">The call had no such input.</exception>
    public Tensor Gradient(int input) => _gradients[Position(input)]
        ?? throw new InvalidOperationException($"{_name}: input {input} needs no gradient; expected {nameof(NeedsGradient)} to be asked first");

    private int Position(int input) => (uint)input < (uint)_inputs.Length
        ? input
        : throw new ArgumentOutOfRangeException(
            nameof(input), $"{_name}: the backward asks for input {input}, expected 0 to {_inputs.Length - 1} (the call had {_inputs.Length})");
}
