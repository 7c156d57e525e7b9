using Ldvc.Autograd;
using Ldvc.Tensors;
using Ldvc.Tensors.Distributed;

namespace Ldvc.Distributed;

/// <summary>
/// Adds gradients over the processes of a job while the backward still runs: each is copied into a bucket as soon as it is final, a full bucket's sum
/// is begun, and at the end the sums replace the gradients. The backward of the same model tells its gradients in the same order everywhere, so
/// buckets are alike.
/// </summary>
/// <param name="group">The processes.</param>
/// <param name="device">Where the gradients are.</param>
/// <param name="bucket">
/// Values of a bucket: large enough that a message's fixed cost does not count, small enough that the first one leaves early.
/// </param>
internal sealed class GradientSums(IProcessGroup group, Device device, int bucket = 1 << 20) : IDisposable
{
    private readonly List<Bucket> _buckets = [];

    // Buckets of this step: those before have begun.
    private int _open;

    /// <summary>Takes a gradient that is final; for <see cref="Tape.GradientIsFinal"/>.</summary>
    internal void Add(Parameter parameter)
    {
        if (parameter.SharedGradient is not { Count: > 0 } gradient)
        {
            return;
        }

        int count = checked((int)gradient.Count);
        if (_open < _buckets.Count && _buckets[_open].Used > 0 && _buckets[_open].Used + count > _buckets[_open].Capacity)
        {
            Begin();
        }

        if (_open == _buckets.Count)
        {
            _buckets.Add(new Bucket(device));
        }

        _buckets[_open].Add(parameter, gradient, count, bucket);
        if (_buckets[_open].Used >= bucket)
        {
            Begin();
        }
    }

    /// <summary>Begins what is left, waits for all sums, and puts them in the gradients' place.</summary>
    /// <exception cref="ProcessGroupException">A process is gone.</exception>
    internal void Finish()
    {
        if (_open < _buckets.Count && _buckets[_open].Used > 0)
        {
            Begin();
        }

        for (int i = 0; i < _open; i++)
        {
            _buckets[i].Finish();
        }

        _open = 0;
    }

    /// <summary>Frees the buckets; those of a step that was not finished are left to the group.</summary>
    public void Dispose()
    {
        foreach (Bucket each in _buckets)
        {
            each.Dispose();
        }
    }

    private void Begin() => _buckets[_open++].Begin(group);

    private sealed class Bucket(Device device) : IDisposable
    {
        private readonly List<(Parameter Parameter, int First, int Count)> _parts = [];
        private Tensor? _values;
        private Tensor? _sent;
        private IPendingSum? _sum;

        internal int Used { get; private set; }

        internal int Capacity => _values is null ? 0 : (int)_values.Count;

        // A bucket is made for the first gradient that it gets, at least of the usual size.
        internal void Add(Parameter parameter, Tensor gradient, int count, int usual)
        {
            if (Used + count > Capacity)
            {
                _values?.Dispose();
                _values = device.Empty(new Shape(Math.Max(usual, count)));
            }

            using Tensor place = _values!.Slice(Used, count);
            place.CopyFrom(gradient);
            _parts.Add((parameter, Used, count));
            Used += count;
        }

        internal void Begin(IProcessGroup group)
        {
            _sent = _values!.Slice(0, Used);
            _sum = group.BeginSum(_sent);
        }

        internal void Finish()
        {
            _sum!.Wait();
            foreach (var (parameter, first, count) in _parts)
            {
                using Tensor sum = _sent!.Slice(first, count);
                parameter.GradientTarget(out _).CopyFrom(sum);
            }

            _sent!.Dispose();
            (_sent, _sum, Used) = (null, null, 0);
            _parts.Clear();
        }

        public void Dispose()
        {
            // The group may still be writing to what it was given.
            if (_sum is null)
            {
                _values?.Dispose();
            }
        }
    }
}
