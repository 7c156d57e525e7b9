using Ldvc.Tensors;

namespace Ldvc.Kernels;

/// <summary>
/// What changes from one training step to the next, in 32 bytes of device memory that are written before a step: so the step's launches name
/// addresses and not numbers, and are the same at every step.
/// </summary>
/// <param name="device">The device.</param>
internal sealed class StepState(Device device) : IDisposable
{
    /// <summary>Places of 32 bits: the halves of the stream that dropout keys are drawn from.</summary>
    internal const int StreamLow = 0;
    internal const int StreamHigh = 1;

    /// <summary>Numbers of AdamW, floats.</summary>
    internal const int LearningRate = 2;
    internal const int StepSize = 3;
    internal const int InverseRootCorrection = 4;
    internal const int GradientScale = 5;

    /// <summary>What gradients are multiplied by first, and their norm before: floats, written by the device where gradients are clipped.</summary>
    internal const int Clip = 6;
    internal const int Norm = 7;

    /// <summary>All of it.</summary>
    internal const int Bytes = Length * sizeof(int);

    private const int Length = 8;

    private readonly Tensor _words = device.Zeros(new Shape(Length), DType.Int32);

    /// <summary>The words, as integers.</summary>
    internal View View => _words;

    /// <summary>Writes everything, for a step that begins. A clip of 1 and a norm of 0 stand until the device finds others.</summary>
    internal void Write(ulong stream, in Optimizer.AdamWStep step) => Write(StreamLow, [Low(stream), High(stream), .. Numbers(step)]);

    /// <summary>Writes the stream alone, for another part of a step.</summary>
    internal void Write(ulong stream) => Write(StreamLow, [Low(stream), High(stream)]);

    /// <summary>Writes the numbers alone.</summary>
    internal void Write(in Optimizer.AdamWStep step) => Write(LearningRate, Numbers(step));

    /// <summary>The gradients' norm; the host waits.</summary>
    internal float ReadNorm()
    {
        using Tensor place = _words.Slice(Norm, 1);
        return BitConverter.Int32BitsToSingle(place.ToArray<int>()[0]);
    }

    /// <inheritdoc/>
    public void Dispose() => _words.Dispose();

    private void Write(int first, int[] words)
    {
        using Tensor place = _words.Slice(first, words.Length);
        place.CopyFromHost<int>(words);
    }

    private static int[] Numbers(in Optimizer.AdamWStep step) =>
        [Bits(step.LearningRate), Bits(step.StepSize), Bits(step.InverseRootCorrection), Bits(step.GradientScale), Bits(1), 0];

    private static int Low(ulong stream) => (int)(uint)stream;

    private static int High(ulong stream) => (int)(uint)(stream >> 32);

    private static int Bits(float value) => BitConverter.SingleToInt32Bits(value);
}
