using Ldvc.Kernels;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Autograd;

/// <summary>Runs operations that were written outside the framework.</summary>
public static class OperationTape
{
    /// <summary>Runs an operation and, where the tape records and an input needs a gradient, records it.</summary>
    /// <param name="tape">Where it is recorded; its device runs it.</param>
    /// <param name="operation">The operation.</param>
    /// <param name="inputs">Its inputs, on the tape's device.</param>
    /// <returns>The output, of the shape that the operation says.</returns>
    /// <exception cref="ArgumentException">An input's device, element type or shape does not fit.</exception>
    /// <exception cref="NotSupportedException">The operation has no forward for this device.</exception>
    public static Variable Apply(this Tape tape, Operation operation, params ReadOnlySpan<Variable> inputs)
    {
        ArgumentNullException.ThrowIfNull(tape);
        ArgumentNullException.ThrowIfNull(operation);
        var shape = Check(tape, operation, inputs);
        var flowing = new Variable?[inputs.Length];
        bool backward = false;
        for (int i = 0; i < inputs.Length; i++)
        {
            flowing[i] = tape.Recording && inputs[i].RequiresGradient && operation.IsDifferentiable(i) ? inputs[i] : null;
            backward |= flowing[i] is not null;
        }

        // Handles of its own: the caller may dispose of a variable before the backward.
        var values = new Tensor[inputs.Length];
        var kept = backward ? new List<Tensor>() : null;
        Tensor? output = null;
        try
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = inputs[i].Value.Share();
            }

            // Not the tape's Rent: the forward may run operations of the tape.
            output = tape.Device.Empty(Guard.Fits(operation.Name, shape));
            int[] writes = Array.ConvertAll(values, value => value.Storage.Writes);
            var call = new OperationForward(operation.Name, values, output, kept);
            switch (tape.Device)
            {
                case GpuDevice gpu: operation.Forward(gpu, call); break;
                case CpuDevice cpu: operation.Forward(cpu, call); break;
            }

            call.End();
            for (int i = 0; i < values.Length; i++)
            {
                RequireUnchanged(operation.Name, values[i], writes[i], $"input {i}");
            }

            var result = tape.Result(output, flowing, operation.Name);
            if (backward)
            {
                tape.Record(new OperationNode(result, operation, flowing, values, kept!));
            }
            else
            {
                Free(values);
            }

            return result;
        }
        catch
        {
            Free(values);
            Free(kept ?? []);
            output?.Dispose();
            throw;
        }
    }

    // What others hold as well, and read later.
    private static void RequireUnchanged(string operation, Tensor tensor, int writes, string what)
    {
        if (tensor.IsDisposed || tensor.Storage.Writes != writes)
        {
            throw new InvalidOperationException(
                $"{operation}: expected {what} {tensor.Shape} to be read only, but it was {(tensor.IsDisposed ? "disposed of" : "overwritten")}");
        }
    }

    private static Shape Check(Tape tape, Operation operation, ReadOnlySpan<Variable> inputs)
    {
        var shapes = new Shape[inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            if (inputs[i] is null)
            {
                throw new ArgumentNullException(nameof(inputs), $"{operation.Name}: input {i} is null");
            }

            tape.Require(operation.Name, inputs[i]);
            var value = inputs[i].Value;
            if (value.Count > Guard.MaxElements)
            {
                throw new ExtentException($"{operation.Name}: expected input {i} of fewer than 2^31 elements, got {value}");
            }

            if (value.Device != tape.Device)
            {
                throw new ArgumentException(
                    $"{operation.Name}: expected input {i} on the tape's device, {tape.Device.Name}, got {value}, which is another device");
            }

            if (value.DType != operation.InputType(i))
            {
                throw new ArgumentException($"{operation.Name}: expected input {i} of type {operation.InputType(i)}, got {value}");
            }

            Guard.InRows(inputs[i], value);
            shapes[i] = value.Shape;
        }

        try
        {
            return operation.OutputShape(shapes);
        }
        catch (ArgumentException e) when (!e.Message.StartsWith(operation.Name + ":", StringComparison.Ordinal))
        {
            throw new ArgumentException($"{operation.Name}: {e.Message} (inputs {string.Join(", ", shapes)})", e);
        }
        catch (IndexOutOfRangeException e)
        {
            throw new ArgumentException(
                $"{operation.Name}: OutputShape asks for an input that is not there, got {shapes.Length} ({string.Join(", ", shapes)})", e);
        }
    }

    private static void Free(IEnumerable<Tensor?> tensors)
    {
        foreach (var tensor in tensors)
        {
            tensor?.Dispose();
        }
    }

    private sealed class OperationNode : Node
    {
        private readonly Operation _operation;
        private readonly Variable?[] _inputs;
        private readonly Tensor?[] _values;
        private readonly Tensor? _output;
        private readonly List<Tensor> _kept;

        internal OperationNode(Variable output, Operation operation, Variable?[] inputs, Tensor[] values, List<Tensor> kept)
            : base(output)
        {
            (_operation, _inputs, _kept) = (operation, inputs, kept);
            _values = new Tensor?[values.Length];
            for (int i = 0; i < values.Length; i++)
            {
                if (operation.SavesInput(i))
                {
                    _values[i] = Own(values[i]);
                }
                else
                {
                    values[i].Dispose();
                }
            }

            _output = operation.SavesOutput ? Save(output.Value) : null;
            foreach (var tensor in kept)
            {
                Own(tensor);
            }
        }

        internal override string Name => _operation.Name;

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var device = dy.Device;
            var gradients = new Tensor?[_inputs.Length];
            try
            {
                for (int i = 0; i < gradients.Length; i++)
                {
                    gradients[i] = _inputs[i] is { } input ? device.Zeros(input.Shape) : null;
                }

                int writes = dy.Storage.Writes, outputWrites = _output?.Storage.Writes ?? 0;
                int[] inputWrites = Array.ConvertAll(_values, value => value?.Storage.Writes ?? 0);
                var call = new OperationBackward(_operation.Name, _values, _output, _kept, dy, gradients);
                switch (device)
                {
                    case GpuDevice gpu: _operation.Backward(gpu, call); break;
                    case CpuDevice cpu: _operation.Backward(cpu, call); break;
                }

                RequireUnchanged(_operation.Name, dy, writes, "the output's gradient");
                RequireNotOverwritten(_output, outputWrites, "the output");
                for (int i = 0; i < _values.Length; i++)
                {
                    RequireNotOverwritten(_values[i], inputWrites[i], $"input {i}");
                }

                for (int i = 0; i < gradients.Length; i++)
                {
                    if (gradients[i] is { } gradient)
                    {
                        if (gradient.IsDisposed)
                        {
                            throw new InvalidOperationException($"{_operation.Name}: the gradient of input {i} {gradient.Shape} was disposed of");
                        }

                        _inputs[i]!.AddGradient(gradient);
                    }
                }
            }
            finally
            {
                Free(gradients);
            }
        }

        // A handle of this node alone, which the backward may dispose of; the memory is a variable's or a parameter's.
        private void RequireNotOverwritten(Tensor? saved, int writes, string what)
        {
            if (saved is { IsDisposed: false })
            {
                RequireUnchanged(_operation.Name, saved, writes, what);
            }
        }
    }
}
