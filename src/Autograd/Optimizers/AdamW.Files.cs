using System.Globalization;
using Ldvc.Kernels;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Autograd.Optimizers;

public sealed partial class AdamW
{
    private const string FirstPrefix = "first.";
    private const string SecondPrefix = "second.";
    private const string StepsKey = "steps";

    /// <summary>Writes both moments of every parameter and the number of steps to a safetensors file, to continue from exactly here.</summary>
    /// <exception cref="InputException">The file cannot be written; what was there before is still there.</exception>
    public void Save(string path)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var writer = new SafetensorsWriter();
        writer.SetMetadata(StepsKey, Steps.ToString(CultureInfo.InvariantCulture));
        foreach (var (name, tensor) in StateTensors())
        {
            writer.Add(name, tensor);
        }

        writer.Save(path);
    }

    /// <summary>Reads what <see cref="Save"/> wrote. When the file does not fit the parameters, nothing changes.</summary>
    /// <exception cref="InputException">The file is missing or damaged, or was written for other parameters; the message lists what
    /// differs.</exception>
    public void Load(string path)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        using var archive = TensorArchive.Open(path);
        if (!archive.Metadata.TryGetValue(StepsKey, out string? text)
            || !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long steps)
            || steps > MaxSteps)
        {
            throw new InputException(
                $"{path}: the metadata key '{StepsKey}' is missing or no number of steps; expected a file written by AdamW.Save");
        }

        var tensors = new NamedTensors(archive, StateTensors());
        tensors.Check(strict: true, "the optimizer's parameters");
        CheckSquares(archive);
        tensors.Read();
        Steps = steps;
    }

    /// <summary>
    /// Scales all gradients down together when their Euclidean norm exceeds a bound, as torch.nn.utils.clip_grad_norm_. The host waits for the
    /// device.
    /// </summary>
    /// <param name="maxNorm">The bound, above 0.</param>
    /// <returns>The norm before.</returns>
    /// <exception cref="ObjectDisposedException">The optimizer was disposed of.</exception>
    public double ClipGradientNorm(double maxNorm)
    {
        if (!(maxNorm > 0))
        {
            throw new ArgumentOutOfRangeException(nameof(maxNorm), $"clip gradient norm: expected a bound above 0, got {maxNorm}");
        }

        double norm = GradientNorm();
        if (norm > maxNorm)
        {
            foreach (var state in _states)
            {
                if (state.Parameter.SharedGradient is not null)
                {
                    // The target is the parameter's own: a gradient may be shared with another variable's until it is written to.
                    var gradient = state.Parameter.GradientTarget(out _);
                    KernelSet.For(gradient.Device).Elementwise.Scale(gradient, (float)(maxNorm / (norm + 1e-6)), gradient, false, gradient.Count);
                }
            }
        }

        return norm;
    }

    /// <summary>
    /// The same without the host waiting, for a GPU: the factor and the norm go to its <see cref="StepState"/>, and <see cref="Update"/> multiplies
    /// by the factor.
    /// </summary>
    internal void ClipOnDevice(double maxNorm, StepState state)
    {
        ListGradients();
        KernelSet.For(state.View.Storage.Device).Reduction.ClipFactor(_gradients, maxNorm, state.View.As(DType.Float32).Shift(StepState.Clip));
    }

    // The next step would make NaN of what has no root.
    private void CheckSquares(TensorArchive archive)
    {
        foreach (var state in _states)
        {
            float[] squares = archive.ReadFinite(SecondPrefix + state.Name);
            if (Array.FindIndex(squares, value => value < 0) is >= 0 and int at)
            {
                throw new InputException($"{archive.Path}: tensor '{SecondPrefix}{state.Name}': expected means of squares, got {squares[at]}");
            }
        }
    }

    private IEnumerable<(string Name, Tensor Tensor)> StateTensors()
    {
        foreach (var (name, first, second) in Moments)
        {
            yield return (FirstPrefix + name, first);
            yield return (SecondPrefix + name, second);
        }
    }
}
