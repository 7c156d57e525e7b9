using Ldvc.Autograd;
using Ldvc.Autograd.Optimizers;
using Ldvc.Distributed;
using Ldvc.Kernels;
using Ldvc.Kernels.Devices;
using Ldvc.Kernels.Optimizer;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu.Graphs;

namespace Ldvc.Training;

/// <summary>
/// What a training step queues on a device: for each group of pictures forward, backward and the search for bad gradients, at the end the update. On
/// a GPU all that changes from step to step is written to its <see cref="StepState"/> and to fixed inputs first, and the rest is the same every time:
/// a graph, where there is one.
/// </summary>
/// <param name="parts">Model and loss.</param>
/// <param name="optimizer">The optimiser.</param>
/// <param name="graphs">Graphs of steps.</param>
/// <param name="exchange">What several processes tell each other; null for one.</param>
/// <param name="sums">The sums of their gradients.</param>
internal sealed class TrainingStep(StepParts parts, AdamW optimizer, StepGraphs graphs, StepExchange? exchange, GradientSums? sums) : IDisposable
{
    private const string First = "the first forward and backward";
    private const string Further = "forward and backward";
    private const string UpdatePart = "the update";

    private readonly Device _device = parts.Loaded.Device;

    // Elsewhere numbers go to kernels with the call.
    private readonly StepState? _state = KernelSet.For(parts.Loaded.Device).State;
    private readonly bool _watched = Fp16Overflow.IsWatched(parts.Loaded.Device);
    private readonly Tensor _status = parts.Loaded.Device.Empty(new Shape(Fp16Overflow.IsWatched(parts.Loaded.Device) ? 5 : 4));
    private readonly FixedInputs _inputs = new(StepGraphs.MaxShapes);
    private GraphedStep? _step;

    /// <summary>Queues forward and backward of the next pictures.</summary>
    /// <param name="inputs">Where they come from.</param>
    /// <param name="part">Which pictures of the step they are, from 0.</param>
    /// <param name="seed">Of the dropout masks.</param>
    /// <param name="firstRow">Where the first picture stands in the batch of all processes.</param>
    /// <param name="last">Whether the gradients are final.</param>
    /// <param name="numbers">The step's numbers.</param>
    /// <returns>The batch, what the loss came from (this object's), and what the loss counts times.</returns>
    /// <exception cref="InputException">A file of the data set is bad, or memory is full.</exception>
    internal (TakenBatch Batch, PartTensors Tensors, double Share) Queue(
        TrainingInputs inputs, int part, ulong seed, long firstRow, bool last, in AdamWStep numbers)
    {
        if (part == 0)
        {
            _state?.Write(Tape.StreamOf(seed), numbers);
        }
        else
        {
            _state?.Write(Tape.StreamOf(seed));
        }

        TakenBatch? batch = null;
        double share = 1;
        try
        {
            batch = exchange is null ? inputs.Take() : null;
            (Tensor Images, Tensor Labels) place = batch is null ? default : graphs.IsActive ? _inputs.Place(batch) : (batch.Images, batch.Labels);
            if (part == 0)
            {
                // Those of a step that ended early do not count.
                optimizer.ClearGradients();
                End();
                _step = graphs.Begin(batch is null ? "several processes" : $"{batch.Images.Shape}");
            }

            PartTensors tensors = _step!.Run(part == 0 ? First : Further, Body, part == 0 ? optimizer.ClearGradients : () => { });
            return (batch!, tensors, share);

            PartTensors Body()
            {
                var tape = new Tape(_device, recording: true, seed)
                {
                    FirstRow = firstRow,
                    KeysAreStored = _state is not null,
                    GradientIsFinal = last && sums is not null ? sums.Add : null,
                };
                using var pictures = new BatchPart(parts, tape);
                if (exchange is null)
                {
                    pictures.Forward(place.Images, place.Labels, count: false);
                }
                else
                {
                    share = exchange.Share(() =>
                    {
                        batch = inputs.Take();
                        return pictures.Forward(batch.Images, batch.Labels, count: true);
                    });
                }

                pictures.Backward(share);
                if (part == 0 && !last)
                {
                    // The graph of the other parts adds to the same places each time.
                    optimizer.OwnGradients();
                }

                using (Tensor losses = _status.Slice(0, 3))
                {
                    losses.CopyFrom(pictures.Losses);
                }

                optimizer.FindNotFiniteGradient(_status.View.Shift(3).As(DType.Int32));
                if (_watched)
                {
                    Fp16Overflow.CopyTo(_status, 4);
                }

                return pictures.Tensors;
            }
        }
        catch
        {
            batch?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Total, focal and dice of the pictures that were queued last, which gradient is bad, and whether a number was too large for fp16; the host
    /// waits.
    /// </summary>
    internal (float Total, float Focal, float Dice, string? BadGradient, bool TooLarge) Read()
    {
        float[] values = _status.ToArray();
        bool tooLarge = _watched && BitConverter.SingleToInt32Bits(values[4]) != 0 && Fp16Overflow.Take(_device);
        return (values[0], values[1], values[2], tooLarge ? null : optimizer.NotFiniteName(BitConverter.SingleToInt32Bits(values[3])), tooLarge);
    }

    /// <summary>Queues the update, and ends the step.</summary>
    /// <param name="numbers">The step's numbers.</param>
    /// <param name="clip">The largest norm of the gradients; 0 for any.</param>
    /// <returns>The norm; 0 when any is allowed. The host waits for it.</returns>
    internal double Update(in AdamWStep numbers, double clip)
    {
        AdamWStep step = numbers;
        double norm = 0;
        if (clip > 0 && _state is null)
        {
            norm = optimizer.ClipGradientNorm(clip);
        }

        _step!.Run(UpdatePart, Body, () => { });
        optimizer.ClearGradients();
        _step.Complete();
        End();
        optimizer.Steps++;
        return clip > 0 && _state is not null ? _state.ReadNorm() : norm;

        Nothing Body()
        {
            if (clip > 0 && _state is not null)
            {
                optimizer.ClipOnDevice(clip, _state);
            }

            optimizer.Update(step, stored: _state is not null);
            return Nothing.Instance;
        }
    }

    /// <summary>Ends a step, also one that failed half way.</summary>
    internal void End()
    {
        _step?.Dispose();
        _step = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        End();
        graphs.Dispose();
        _inputs.Dispose();
        _status.Dispose();
    }

    private sealed class Nothing : IDisposable
    {
        internal static readonly Nothing Instance = new();

        public void Dispose()
        {
        }
    }
}
