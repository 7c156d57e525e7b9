using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>What the forward of an <see cref="Operation"/> works on.</summary>
public sealed class OperationForward
{
    private readonly string _name;
    private readonly Tensor[] _inputs;
    private readonly List<Tensor>? _kept;
    private bool _ended;

    internal OperationForward(string name, Tensor[] inputs, Tensor output, List<Tensor>? kept)
    {
        (_name, _inputs, Output, _kept) = (name, inputs, output, kept);
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
    /// <exception cref="ObjectDisposedException">The tensor was disposed of.</exception>
    /// <exception cref="InvalidOperationException">The forward has ended.</exception>
    public void Keep(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (_ended)
        {
            throw new InvalidOperationException($"{_name}: keep: the forward has ended, expected all that is kept during it");
        }

        if (tensor.IsDisposed)
        {
            throw Disposed(tensor);
        }

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

    /// <summary>The forward has returned.</summary>
    /// <exception cref="ObjectDisposedException">It has disposed of the output, or of what it kept.</exception>
    internal void End()
    {
        _ended = true;
        if (Output.IsDisposed)
        {
            throw new ObjectDisposedException(nameof(Output), $"{_name}: the forward disposed of its output {Output.Shape}, which is the tape's");
        }

        if (_kept?.Find(tensor => tensor.IsDisposed) is { } gone)
        {
            throw Disposed(gone);
        }
    }

    private ObjectDisposedException Disposed(Tensor tensor) => new(
        nameof(tensor), $"{_name}: keep: tensor {tensor.Shape} was disposed of; what is kept is freed after the backward, without using or Dispose");
}
