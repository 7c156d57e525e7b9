using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>What the forward of an <see cref="Operation"/> works on.</summary>
public sealed class OperationForward
{
    private readonly Tensor[] _inputs;
    private readonly List<Tensor>? _kept;

    internal OperationForward(Tensor[] inputs, Tensor output, List<Tensor>? kept)
    {
        (_inputs, Output, _kept) = (inputs, output, kept);
    }

    /// <summary>The inputs' values, in the order of the call; they must not be changed or disposed of.</summary>
    public IReadOnlyList<Tensor> Inputs => _inputs;

    /// <summary>Where the result goes; its contents are undefined so far.</summary>
    public Tensor Output { get; }

    /// <summary>Whether a backward will follow: otherwise there is nothing to keep for it.</summary>
    public bool WillRunBackward => _kept is not null;

    /// <summary>
    /// Hands a tensor that the forward made over to the backward, which finds it in <see cref="OperationBackward.Kept"/>. It is freed after that, or
    /// at once when no backward follows: the caller must not use it any more.
    /// </summary>
    /// <exception cref="ArgumentException">It is the output or an input, which others hold: <see cref="Operation.SavesOutput"/> and
    /// <see cref="Operation.SavesInput"/> keep those.</exception>
    public void Keep(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (ReferenceEquals(tensor, Output) || Array.IndexOf(_inputs, tensor) >= 0)
        {
            string what = ReferenceEquals(tensor, Output)
                ? $"the output; {nameof(Operation.SavesOutput)}"
                : $"an input; {nameof(Operation.SavesInput)}";
            throw new ArgumentException($"keep: expected a tensor that the forward made, got {what} says whether that is kept", nameof(tensor));
        }

        if (_kept is null)
        {
            tensor.Dispose();
        }
        else
        {
            _kept.Add(tensor);
        }
    }
}
