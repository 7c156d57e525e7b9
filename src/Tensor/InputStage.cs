namespace Ldvc.Tensors;

/// <summary>
/// Brings one input of every step to the device. Where the device can copy while it computes, the next step's values may be staged while the current
/// step runs: two device tensors and two pinned buffers take turns, and neither is touched before the step that uses it has been passed. Elsewhere
/// staging copies at once.
/// </summary>
public sealed class InputStage : IDisposable
{
    private readonly Device _device;
    private readonly InputSlot?[] _slots = new InputSlot?[2];
    private Tensor? _ready;
    private bool _isAhead;
    private int _next;

    /// <summary>Creates the stage of one input.</summary>
    public InputStage(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        _device = device;
    }

    /// <summary>Whether staging the next step's values before the current step has ended gains anything.</summary>
    public bool CopiesAhead => _device.CopiesAhead;

    /// <summary>Whether values wait to be taken.</summary>
    public bool IsFull => _ready is not null;

    /// <summary>Starts copying; the host values may be changed once this returns.</summary>
    /// <exception cref="InvalidOperationException">The values staged before have not been taken.</exception>
    /// <exception cref="ArgumentException">The values are of another type than the elements, or not the shape's number.</exception>
    public void Stage<T>(ReadOnlySpan<T> values, Shape shape, DType type)
        where T : unmanaged
    {
        if (_ready is not null)
        {
            throw new InvalidOperationException("input stage: staged twice, taken never");
        }

        if (!type.Holds<T>() || values.Length != shape.Count)
        {
            throw new ArgumentException(
                $"input stage: {type} {shape} holds {shape.Count} elements, got {values.Length} of the C# type {typeof(T).Name}");
        }

        // Of no values there is nothing to copy.
        _isAhead = _device.CopiesAhead && !values.IsEmpty;
        if (!_isAhead)
        {
            var tensor = _device.Empty(shape, type);
            tensor.CopyFromHost(values);
            _ready = tensor;
            return;
        }

        _device.ThrowIfDisposed("input stage");
        var slot = _slots[_next] ??= _device.CreateInputSlot();
        _ready = slot.Fill(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values), shape, type);
    }

    /// <summary>The staged tensor, to be disposed of by the caller; kernels queued from now on find the values in it.</summary>
    /// <exception cref="InvalidOperationException">Nothing is staged.</exception>
    public Tensor Take()
    {
        var tensor = _ready ?? throw new InvalidOperationException("input stage: nothing is staged");
        _ready = null;
        if (_isAhead)
        {
            // All that used the other slot's values has been queued by now.
            _slots[1 - _next]?.Passed();
            _slots[_next]!.Use();
            _next = 1 - _next;
        }

        return tensor;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ready?.Dispose();
        _ready = null;
        for (int i = 0; i < _slots.Length; i++)
        {
            _slots[i]?.Dispose();
            _slots[i] = null;
        }
    }
}

/// <summary>One of the places that take turns in an <see cref="InputStage"/>.</summary>
internal abstract class InputSlot : IDisposable
{
    /// <summary>Starts copying and returns a handle to the place's tensor.</summary>
    internal abstract Tensor Fill(ReadOnlySpan<byte> values, Shape shape, DType type);

    /// <summary>Kernels queued from now on wait for the copy.</summary>
    internal abstract void Use();

    /// <summary>Everything that reads the values has been queued: the next copy waits for it.</summary>
    internal abstract void Passed();

    /// <inheritdoc/>
    public abstract void Dispose();
}
