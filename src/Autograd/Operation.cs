using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Autograd;

/// <summary>
/// An operation that the framework does not have, written outside it: name, output shape, forward and backward on the CPU and on GPUs in one object.
/// <see cref="OperationTape.Apply"/> runs it, records it and adds its gradients to those that are already there. What can be composed of existing
/// operations needs none of this.
/// </summary>
/// <remarks>
/// An object may hold the operation's settings, but nothing that belongs to one call: it may be applied many times on a tape. What a device lacks (no
/// override) is an error when it is needed, not before.
/// </remarks>
public abstract class Operation
{
    /// <summary>What error messages and profiles call it, e.g. "softsign".</summary>
    public abstract string Name { get; }

    /// <summary>The output's shape; the output's elements are float32.</summary>
    /// <param name="inputs">The inputs' shapes, in the order of the call.</param>
    /// <exception cref="ArgumentException">The number of inputs or their shapes do not fit; the message need not repeat the operation's
    /// name.</exception>
    public abstract Shape OutputShape(ReadOnlySpan<Shape> inputs);

    /// <summary>The element type that an input must have; float32 unless overridden. Inputs of other types get no gradient.</summary>
    /// <param name="input">Its position in the call.</param>
    public virtual DType InputType(int input) => DType.Float32;

    /// <summary>Whether the output has a derivative by an input; true unless overridden.</summary>
    /// <param name="input">Its position in the call.</param>
    public virtual bool IsDifferentiable(int input) => true;

    /// <summary>Whether the backward reads the value of an input: what it does not read is freed early. True unless overridden.</summary>
    /// <param name="input">Its position in the call.</param>
    public virtual bool SavesInput(int input) => true;

    /// <summary>Whether the backward reads the output's value. False unless overridden.</summary>
    public virtual bool SavesOutput => false;

    /// <summary>
    /// Computes every element of the output on the CPU: <c>tensor.AsSpan&lt;float&gt;()</c> and <see cref="CpuDevice.ParallelFor"/>.
    /// </summary>
    public virtual void Forward(CpuDevice device, OperationForward call) => throw Missing("CPU", "forward", nameof(Forward), device);

    /// <summary>
    /// Fills the gradients of the inputs that need one on the CPU. They start at zero and belong to this call alone: what other operations add to an
    /// input's gradient is none of its business.
    /// </summary>
    public virtual void Backward(CpuDevice device, OperationBackward call) => throw Missing("CPU", "backward", nameof(Backward), device);

    /// <summary>Queues the forward on a GPU: <c>device.Kernel(...)</c> and <c>tensor.AsGpuView&lt;float&gt;()</c>.</summary>
    public virtual void Forward(GpuDevice device, OperationForward call) => throw Missing("GPU", "forward", nameof(Forward), device);

    /// <summary>Queues the backward on a GPU; see <see cref="Backward(CpuDevice, OperationBackward)"/>.</summary>
    public virtual void Backward(GpuDevice device, OperationBackward call) => throw Missing("GPU", "backward", nameof(Backward), device);

    private NotSupportedException Missing(string kind, string pass, string method, Device device) => new(
        $"{Name}: the operation has no {pass} for device {device.Name}; expected an override of "
        + $"{method}({(kind == "CPU" ? nameof(CpuDevice) : nameof(GpuDevice))}, ...) in {GetType().Name}");
}
