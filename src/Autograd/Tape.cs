using System.Runtime.CompilerServices;
using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>
/// Records the operations of one step and runs them backward. Operations are extension methods, one file each (Ops/). The tape owns every variable
/// made on it: disposing it frees whatever is left, so an abandoned step leaks nothing. A scope (<see cref="BeginScope"/>) frees earlier what a part
/// of the computation made and does not keep.
/// </summary>
/// <remarks>
/// A tape and its variables belong to one thread at a time: nothing in it is locked. Threads that compute at the same time use a tape each.
/// Parameters may be read by several tapes at once; their gradients may not be written by several backwards at once.
/// </remarks>
public sealed class Tape : IDisposable
{
    private readonly List<Node> _nodes = [];
    private readonly CounterRandom _keys;

    // Parameters in the order of their first use, with the number of the operation: the backward ends with that one. Kept when somebody waits for
    // gradients.
    private readonly List<(int Node, Parameter Parameter)> _firstUses = [];
    private readonly HashSet<Parameter> _used = [];

    // Parameters that recorded operations read, with the number of the operation and whether they were trained then.
    private readonly List<(int Node, Parameter Parameter, bool Trained)> _reads = [];

    // What the operation that runs now has made and not handed over yet: it may fail.
    private readonly List<Tensor> _loose = [];

    // Freed by their owner, but the backward may still give them a gradient: inputs of a recording tape.
    private readonly ScopeFrame _leaves;
    private ScopeFrame _frame;
    private ulong _keysDrawn;
    private bool _backward;
    private bool _disposed;

    /// <summary>Starts a tape.</summary>
    /// <param name="device">Where it computes.</param>
    /// <param name="recording">False for inference: nothing is kept for a backward, dropout does nothing.</param>
    /// <param name="seed">
    /// Seed of the dropout masks. Not given, the device counts its recording tapes: each step drops other elements, and a program that runs again
    /// repeats them. Give the step's number where a run is to go on exactly where it was.
    /// </param>
    /// <exception cref="ArgumentNullException">There is no device.</exception>
    /// <exception cref="ObjectDisposedException">The device was disposed of.</exception>
    /// <exception cref="InvalidOperationException">The device is a GPU, and a tape of another thread on it has not ended.</exception>
    public Tape(Device device, bool recording, ulong? seed = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        Device = device;
        Recording = recording;
        Kernels = KernelSet.For(device);
        _keys = Keys(seed ?? (recording ? device.NextTapeSeed() : 0));
        _frame = new ScopeFrame(this, null);
        _leaves = new ScopeFrame(this, null);
        device.HoldForTape();
    }

    /// <summary>The device.</summary>
    public Device Device { get; }

    /// <summary>Whether a backward will follow.</summary>
    public bool Recording { get; }

    /// <summary>
    /// Where the first picture of this tape's batch stands in a larger one, of which other tapes compute the rest: dropout masks are the rows of the
    /// larger batch's.
    /// </summary>
    internal long FirstRow { get; init; }

    /// <summary>
    /// Told of each parameter as soon as the backward has added the last part of its gradient, in an order that the recorded operations alone decide.
    /// A gradient that was there before is part of it.
    /// </summary>
    internal Action<Parameter>? GradientIsFinal { get; init; }

    /// <summary>
    /// Whether a GPU finds the stream of the dropout keys in its <see cref="StepState"/>, where <see cref="StreamOf"/> the seed must stand until the
    /// backward has been queued: a step's launches are then the same whatever the seed.
    /// </summary>
    internal bool KeysAreStored { get; init; }

    internal KernelSet Kernels { get; }

    /// <summary>What a backward would run, in order of recording.</summary>
    internal IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>Whether the tape has ended.</summary>
    internal bool IsDisposed => _disposed;

    /// <summary>The innermost open scope; the tape itself when there is none.</summary>
    internal ScopeFrame Frame => _frame;

    /// <summary>Number of variables that the tape holds now.</summary>
    internal int LiveVariables
    {
        get
        {
            int count = _leaves.Count;
            for (var frame = _frame; frame is not null; frame = frame.Parent)
            {
                count += frame.Count;
            }

            return count;
        }
    }

    /// <summary>
    /// Opens a scope: when it ends, every variable made on the tape since then is freed, except what it keeps. What the backward needs stays with the
    /// operation that needs it. Scopes nest and end in the reverse order of their begin, which <c>using</c> sees to.
    /// </summary>
    /// <example>
    /// <code>
    /// using var scope = tape.BeginScope();
    /// var hidden = first.Forward(tape, x, Activation.Relu);
    /// return scope.Keep(second.Forward(tape, hidden));
    /// </code>
    /// </example>
    /// <exception cref="ObjectDisposedException">The tape has ended.</exception>
    public TapeScope BeginScope()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _frame = _frame.Child ??= new ScopeFrame(this, _frame);
        return new TapeScope(_frame);
    }

    /// <summary>An input without a gradient: takes ownership of the tensor, also when it refuses it.</summary>
    /// <exception cref="ArgumentException">The tensor lives on another device.</exception>
    /// <exception cref="ObjectDisposedException">The tape has ended, or the tensor was released.</exception>
    public Variable Constant(Tensor value) => Track(Checked(value, "constant"), false);

    /// <summary>An input whose gradient is wanted (gradient checks); takes ownership of the tensor, also when it refuses it.</summary>
    /// <exception cref="ArgumentException">The tensor lives on another device, or its elements are integers or float64.</exception>
    /// <exception cref="ObjectDisposedException">The tape has ended, or the tensor was released.</exception>
    public Variable Input(Tensor value)
    {
        Checked(value, "input");
        if (value.DType is not (DType.Float32 or DType.BFloat16 or DType.Float16))
        {
            string message = $"input: {value} has no gradient, expected Float32, BFloat16 or Float16; Constant takes it";
            value.Dispose();
            throw new ArgumentException(message, nameof(value));
        }

        return Track(value, Recording);
    }

    /// <summary>
    /// Frees a variable that another one takes the place of, and returns that one: <c>x = tape.Replace(x, block.Forward(tape, x))</c> holds one of a
    /// loop's values at a time, where a scope around the loop would hold them all.
    /// </summary>
    /// <exception cref="ArgumentException">Both are one variable, or the old one is not this tape's.</exception>
    public Variable Replace(Variable old, Variable now)
    {
        ArgumentNullException.ThrowIfNull(old);
        ArgumentNullException.ThrowIfNull(now);
        if (ReferenceEquals(old, now) || old.Tape != this)
        {
            string wrong = old.Tape == this ? "is the new one" : "does not belong to this tape";
            throw new ArgumentException($"replace: the old variable {old.Shape} {wrong}", nameof(old));
        }

        old.Dispose();
        return now;
    }

    /// <summary>
    /// Runs everything backward from a variable, usually the loss of one element. The gradients of parameters and of the tape's inputs
    /// (<see cref="Input"/>, read as <see cref="Variable.Gradient"/>) stay; all others, and all saved values, are freed on the way. A tape runs
    /// backward once; operations recorded after it give values, but no gradients.
    /// </summary>
    /// <param name="output">Where the gradient starts.</param>
    /// <param name="gradient">Its gradient, float32 and of its shape, which is copied; ones when absent.</param>
    /// <exception cref="InvalidOperationException">
    /// The tape does not record, has run backward before, or the output depends on nothing that is trained; or a value that the backward needs was
    /// overwritten since the forward read it.
    /// </exception>
    /// <exception cref="ArgumentException">The output is not this tape's, or the gradient is of another type, shape or device.</exception>
    /// <exception cref="ObjectDisposedException">The tape has ended, or the output or the gradient was freed.</exception>
    public void Backward(Variable output, Tensor? gradient = null)
    {
        Check(output, gradient);

        // A gradient that passes through a sum is shared with what was added: the caller's stays the caller's.
        using (Tensor seed = gradient?.Clone() ?? Ones(output.Shape))
        {
            output.AddGradient(seed);
        }

        Run();
    }

    /// <summary>
    /// The same with a gradient that the caller does not change as long as there are gradients from this backward: it is not copied.
    /// </summary>
    internal void BackwardFrom(Variable output, Tensor gradient)
    {
        Check(output, gradient);
        output.AddGradient(gradient);
        Run();
    }

    private void Check(Variable output, Tensor? gradient)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (!Recording)
        {
            throw new InvalidOperationException("backward: the tape was made with recording: false, expected a recording tape");
        }

        if (output.Tape is null)
        {
            throw new ArgumentException(
                $"backward: the output {output.Shape} is a parameter, expected the result of an operation on this tape", nameof(output));
        }

        Require("backward", output);
        if (_backward)
        {
            throw new InvalidOperationException(
                "backward: the tape has run backward already and what its forward saved is gone; record the step again on a new tape");
        }

        if (!output.RequiresGradient)
        {
            throw new InvalidOperationException($"backward: the output {output.Shape} depends on nothing that is trained");
        }

        if (gradient is not null && (gradient.DType != DType.Float32 || gradient.Shape != output.Shape || gradient.Device != Device))
        {
            string which = gradient.Device == Device ? "" : ", the tape's device, which is another";
            throw new ArgumentException(
                $"backward: the gradient is {gradient}, expected {DType.Float32} {output.Shape} on {Device.Name}{which}", nameof(gradient));
        }

        _ = gradient?.Raw;
    }

    private void Run()
    {
        _backward = true;

        if (!_reads.Exists(static read => read.Parameter.RequiresGradient != read.Trained))
        {
            RunNodes(restore: false);
            return;
        }

        // Frozen or thawed since: an operation has kept what the state at its forward asked for, and its backward goes by that state, too.
        var now = new Dictionary<Parameter, bool>();
        foreach (var (_, parameter, _) in _reads)
        {
            now[parameter] = parameter.RequiresGradient;
        }

        try
        {
            RunNodes(restore: true);
        }
        finally
        {
            foreach (var (parameter, trained) in now)
            {
                parameter.Want(trained);
            }
        }
    }

    private void RunNodes(bool restore)
    {
        int count = _nodes.Count;
        for (int i = count - 1; i >= 0; i--)
        {
            var node = _nodes[i];
            if (restore)
            {
                WantAsRead(i);
            }

            if (node.Output.SharedGradient is { } dy)
            {
                node.CheckSaved();
                using var range = Device.HasRanges ? Device.Range($"{(node.GetType().DeclaringType ?? node.GetType()).Name} backward") : default;
                node.Backward(Kernels, dy);
                node.Output.ClearGradient();
            }

            node.Release();
            TellFinal(i);
        }

        // What an operation's backward recorded here stays to the tape's end, as what is recorded afterwards does.
        _nodes.RemoveRange(0, count);
        _reads.Clear();
    }

    private void WantAsRead(int node)
    {
        int first = _reads.Count;
        while (first > 0 && _reads[first - 1].Node >= node)
        {
            first--;
        }

        for (int i = first; i < _reads.Count; i++)
        {
            _reads[i].Parameter.Want(_reads[i].Trained);
        }

        _reads.RemoveRange(first, _reads.Count - first);
    }

    /// <summary>Frees all that is left. Scopes that are still open end with it.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        FreeLoose();
        Device.ReleaseFromTape();
        foreach (var node in _nodes)
        {
            node.Release();
            node.Output.ClearGradient();
        }

        _nodes.Clear();
        for (var frame = _frame; frame is not null; frame = frame.Parent)
        {
            frame.FreeAll();
        }

        _leaves.FreeAll();
    }

    /// <summary>
    /// The result of an operation; it needs a gradient when the tape records and any input does. Owns the value from here on, also when it throws.
    /// The operation's name is that of the calling method.
    /// </summary>
    internal Variable Result(Tensor value, Variable? a, [CallerMemberName] string operation = "") => Result(value, [a], operation);

    /// <inheritdoc cref="Result(Tensor, Variable?, string)"/>
    internal Variable Result(Tensor value, Variable? a, Variable? b, [CallerMemberName] string operation = "") => Result(value, [a, b], operation);

    /// <inheritdoc cref="Result(Tensor, Variable?, string)"/>
    internal Variable Result(Tensor value, Variable? a, Variable? b, Variable? c, [CallerMemberName] string operation = "") =>
        Result(value, [a, b, c], operation);

    /// <inheritdoc cref="Result(Tensor, Variable?, string)"/>
    internal Variable Result(Tensor value, Variable? a, Variable? b, Variable? c, Variable? d, [CallerMemberName] string operation = "") =>
        Result(value, [a, b, c, d], operation);

    /// <inheritdoc cref="Result(Tensor, Variable?, string)"/>
    internal Variable Result(Tensor value, ReadOnlySpan<Variable?> inputs, [CallerMemberName] string operation = "")
    {
        bool needed = false;
        try
        {
            Require(operation, inputs);
        }
        catch
        {
            value.Dispose();
            throw;
        }

        foreach (var input in inputs)
        {
            needed |= input is { RequiresGradient: true };
            NoteUse(input);
        }

        if (Recording && needed)
        {
            NoteReads(inputs);
        }

        return Track(value, Recording && needed);
    }

    /// <summary>Refuses inputs that the tape cannot use: those of another tape, and those that were freed. Parameters belong to no tape.</summary>
    /// <param name="operation">The operation's name, for the message.</param>
    /// <param name="inputs">Its inputs; null ones are absent.</param>
    /// <exception cref="ArgumentException">An input belongs to another tape.</exception>
    /// <exception cref="ObjectDisposedException">The tape has ended, or an input was freed.</exception>
    internal void Require(string operation, params ReadOnlySpan<Variable?> inputs)
    {
        if (_disposed)
        {
            throw new ObjectDisposedException(nameof(Tape), $"{operation}: the tape was disposed of");
        }

        foreach (var input in inputs)
        {
            if (input is null)
            {
                continue;
            }

            if (input.IsFreed)
            {
                throw input.Freed(operation);
            }

            if (input.Tape is { } tape && tape != this)
            {
                throw new ArgumentException($"{operation}: a variable {input.Shape} belongs to another tape");
            }
        }
    }

    /// <summary>
    /// Memory that an operation makes, for its result or for its backward. It is freed when memory runs out before the operation has handed over its
    /// result (<see cref="Result(Tensor, Variable?, string)"/>) or recorded itself; at the next operation or the tape's end when something else
    /// fails.
    /// </summary>
    /// <exception cref="InputException">The device's memory is full.</exception>
    internal Tensor Rent(Shape shape, DType type = DType.Float32)
    {
        try
        {
            return Hold(Device.Empty(shape, type));
        }
        catch
        {
            FreeLoose();
            throw;
        }
    }

    /// <summary>The same with integers from the host.</summary>
    /// <exception cref="InputException">The device's memory is full.</exception>
    internal Tensor Rent(ReadOnlySpan<int> values, Shape shape)
    {
        try
        {
            return Hold(Device.FromHost(values, shape));
        }
        catch
        {
            FreeLoose();
            throw;
        }
    }

    /// <summary>A handle that an operation has made, as if it came from <see cref="Rent(Shape, DType)"/>.</summary>
    internal Tensor Hold(Tensor tensor)
    {
        _loose.Add(tensor);
        return tensor;
    }

    /// <summary>Frees what an operation that failed has left.</summary>
    internal void FreeLoose()
    {
        foreach (var tensor in _loose)
        {
            tensor.Dispose();
        }

        _loose.Clear();
    }

    /// <summary>Records an operation whose output needs a gradient.</summary>
    internal void Record(Node node)
    {
        _loose.Clear();
        node.Output.IsRecorded = true;
        _nodes.Add(node);
    }

    /// <summary>
    /// A handle of its own to the same value, which the gradient passes through: what an operation returns that has nothing to do (dropout at
    /// inference). Nothing is copied.
    /// </summary>
    internal Variable Share(Variable x, [CallerMemberName] string operation = "")
    {
        Require(operation, x);
        NoteUse(x);
        if (Recording && x.RequiresGradient)
        {
            NoteReads([x]);
        }

        var result = Track(x.Value.Share(), Recording && x.RequiresGradient);
        if (result.RequiresGradient)
        {
            Record(new ShareNode(result, x));
        }

        return result;
    }

    /// <summary>A key for the next dropout mask of this step; with a number of draws, the first of as many keys.</summary>
    internal DropoutKey NextDropoutKey(int draws = 1)
    {
        var key = new DropoutKey(_keys.Key, _keysDrawn + 1, KeysAreStored);
        _keysDrawn += (ulong)draws;
        return key;
    }

    /// <summary>The stream that a tape of this seed draws the keys of dropout masks from.</summary>
    internal static ulong StreamOf(ulong seed) => Keys(seed).Key;

    private static CounterRandom Keys(ulong seed) => new(seed, 0xD20);

    // The operation is recorded after its result was made, as number _nodes.Count or later: nothing is told too early.
    private void NoteUse(Variable? input)
    {
        if (GradientIsFinal is not null && input is Parameter { RequiresGradient: true } parameter && _used.Add(parameter))
        {
            _firstUses.Add((_nodes.Count, parameter));
        }
    }

    // Of an operation that is recorded next.
    private void NoteReads(ReadOnlySpan<Variable?> inputs)
    {
        foreach (var input in inputs)
        {
            if (input is Parameter parameter)
            {
                _reads.Add((_nodes.Count, parameter, parameter.RequiresGradient));
            }
        }
    }

    private void TellFinal(int node)
    {
        while (_firstUses.Count > 0 && _firstUses[^1].Node >= node)
        {
            Parameter parameter = _firstUses[^1].Parameter;
            _firstUses.RemoveAt(_firstUses.Count - 1);
            GradientIsFinal!(parameter);
        }
    }

    /// <summary>Makes the enclosing scope the innermost one.</summary>
    internal void Leave() => _frame = _frame.Parent!;

    /// <summary>Lets go of a variable that is being freed.</summary>
    internal void Forget(Variable variable)
    {
        variable.Frame!.Remove(variable);
        if (variable.RequiresGradient && !variable.IsRecorded && !_disposed)
        {
            _leaves.Add(variable);
        }
    }

    private Tensor Ones(Shape shape)
    {
        var ones = new float[shape.Count];
        Array.Fill(ones, 1f);
        return Device.FromHost(ones, shape);
    }

    private Tensor Checked(Tensor value, string operation)
    {
        ArgumentNullException.ThrowIfNull(value);
        try
        {
            Require(operation);
            _ = value.Raw;
            return value.Device == Device
                ? value
                : throw new ArgumentException(
                    $"{operation}: {value}, expected a tensor on the tape's device, which is another, {Device.Name}", nameof(value));
        }
        catch
        {
            value.Dispose();
            throw;
        }
    }

    private Variable Track(Tensor value, bool requiresGradient)
    {
        _loose.Clear();
        var variable = new Variable(value, requiresGradient);
        _frame.Add(variable);
        return variable;
    }
}
