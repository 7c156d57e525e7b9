using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Autograd.Optimizers;
using Ldvc.Cases;
using Ldvc.Kernels;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Autograd;

/// <summary>A training step of a small model after the first one.</summary>
public sealed class SteadyStateTests(ITestOutputHelper output) : IDisposable
{
    private const int Width = 32;

    private readonly CpuDevice _device = new(1);

    [Fact]
    public void NoNewMemoryFromTheDevice()
    {
        using var step = new Step(_device, 4);
        step.Run();
        step.Run();
        long allocations = _device.Pool.DeviceAllocations, reserved = _device.Pool.ReservedBytes, live = _device.Pool.LiveBlocks;
        for (int i = 0; i < 20; i++)
        {
            step.Run();
        }

        Assert.Equal(allocations, _device.Pool.DeviceAllocations);
        Assert.Equal(reserved, _device.Pool.ReservedBytes);
        Assert.Equal(live, _device.Pool.LiveBlocks);
    }

    // Variables, nodes and tensors are small objects: their number depends on the model, never on the sizes.
    [Fact]
    public void ManagedMemoryOfAStepDoesNotDependOnSizes()
    {
        long Bytes(int batch)
        {
            using var step = new Step(_device, batch);
            step.Run();
            step.Run();
            step.Run();

            // The least of several: a collection in between, which other tests cause, counts the rest of this thread's allocation quantum.
            long least = long.MaxValue;
            for (int i = 0; i < 10; i++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                step.Run();
                least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            }

            return least;
        }

        long small = Bytes(2), large = Bytes(64);
        output.WriteLine($"{small} bytes a step of 11 operations");
        Assert.Equal(small, large);
        Assert.InRange(small, 1, 11 * 1024);
    }

    public void Dispose() => _device.Dispose();

    private sealed class Step : IDisposable
    {
        private readonly CpuDevice _device;
        private readonly Tensor _x;
        private readonly Linear _qkv;
        private readonly LayerNorm _norm;
        private readonly Linear _first;
        private readonly Linear _second;
        private readonly AdamW _optimizer;
        private readonly int[] _targets;
        private readonly int _batch;
        private ulong _step;

        internal Step(CpuDevice device, int batch)
        {
            (_device, _batch) = (device, batch);
            var init = new Initializer(device, 1);
            (_qkv, _norm, _first, _second) =
                (new Linear(init, Width, 3 * Width), new LayerNorm(init, Width), new Linear(init, Width, 64), new Linear(init, 64, Width));
            Module[] modules = [_qkv, _norm, _first, _second];
            _optimizer = new AdamW(modules.SelectMany((m, i) => m.Parameters($"{i}.")), 0.9f, 0.999f, 1e-8f, _ => 0.01f);
            _x = device.FromHost(CaseRandom.Normal("x", batch * 5 * Width), new Shape(batch, 5, Width));
            _targets = CaseRandom.Integers("targets", batch, Width);
        }

        internal void Run()
        {
            using var tape = new Tape(_device, recording: true, _step++);
            var x = tape.Constant(_x.Share());
            using var attended = tape.Add(x, tape.SelfAttention(_qkv.Forward(tape, x), 4, causal: true));
            using var normed = _norm.Forward(tape, attended);
            using var hidden = tape.Dropout(_first.Forward(tape, normed, Activation.QuickGelu), 0.1f);
            using var mixed = _second.Forward(tape, hidden, Activation.None, normed);
            using var unit = tape.L2Normalize(tape.MeanTokens(mixed));
            using var loss = tape.CrossEntropy(tape.Scale(unit, 10), _targets);
            tape.Backward(loss);
            _optimizer.Step(1e-3f);
        }

        public void Dispose()
        {
            _optimizer.Dispose();
            _x.Dispose();
            _qkv.Dispose();
            _norm.Dispose();
            _first.Dispose();
            _second.Dispose();
        }
    }
}
