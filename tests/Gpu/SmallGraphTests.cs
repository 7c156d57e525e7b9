using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Autograd.Optimizers;
using Ldvc.Kernels;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Ldvc.Tensors.Gpu.Graphs;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// A small network with all that changes from step to step: three kinds of dropout, a learning rate, AdamW, clipping; captured and not.
/// </summary>
[Collection("ptx machine")]
public sealed class SmallGraphPtxTests(PtxMachineFixture fixture)
{
    /// <summary>fp32; with LDVC_TEST_ALL also fp16, since that checks every kernel it meets first.</summary>
    public static IEnumerable<ITheoryDataRow> Precisions => AllModels.Of([["Fp32"]], [["Fp16"]]);

    [Theory]
    [MemberData(nameof(Precisions))]
    public void TheSameBits(string precision)
    {
        var device = fixture.Twin.Device;
        if (precision == "Fp32")
        {
            SmallGraphCases.Check(device, steps: 4);
            return;
        }

        // A frozen map stored in fp16, and heads that the tensor cores take.
        string[] kernels = ["matmul.fp16", "attention.fp16_queries", "reduction.gradient_scale"];
        int[] before = [.. kernels.Select(Count)];
        try
        {
            device.Precision = Enum.Parse<Precision>(precision);
            SmallGraphCases.Check(device, steps: 4);
            Assert.All(kernels.Zip(before), kernel => Assert.True(Count(kernel.First) > kernel.Second, kernel.First));
        }
        finally
        {
            device.Precision = Precision.Fp32;
        }

        int Count(string start) =>
            fixture.Machine.Launches.Where(launch => launch.Key.StartsWith(start, StringComparison.Ordinal)).Sum(launch => launch.Value);
    }
}

[Collection("opencl")]
public sealed class SmallGraphOpenClTests(OpenClFixture fixture)
{
    [Fact]
    public void TheSameBits() => SmallGraphCases.Check(fixture.Twin.Device, steps: 6, thorough: true);
}

internal static class SmallGraphCases
{
    private const int Plain = 2, Inputs = 16, Inner = 32, Tokens = 9, Heads = 2;

    internal static void Check(GpuDevice device, int steps, bool thorough = false)
    {
        float[] byState = Train(device, null, stored: true, steps), captured = Train(device, new ReplayGraphs(device), stored: true, steps);
        Assert.Equal(byState, captured);
        if (!thorough)
        {
            return;
        }

        // Numbers in device memory give what numbers in the launches give, and what the CPU computes.
        Assert.Equal(Train(device, null, stored: false, steps), captured);
        using var cpu = new CpuDevice(1);
        float[] expected = Train(cpu, null, stored: false, steps);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], captured[i], 2e-4);
        }
    }

    private static float[] Train(Device device, ReplayGraphs? driver, bool stored, int steps)
    {
        bool half = device.Precision == Precision.Fp16;
        int width = half ? 64 * Heads : Inputs;
        var initial = new Initializer(device, 3);
        using Parameter weight = initial.Normal(
            new Shape(half ? Inner : 3 * width, Inputs),
            0.3), gamma = initial.Normal(new Shape(width), 1), beta = initial.Normal(new Shape(width), 0.1);
        using Parameter? frozen = half
            ? new Parameter(device.FromHostRounded(Waves(3 * width * Inner), new Shape(3 * width, Inner), DType.Float16), trainable: false)
            : null;
        using var optimizer = new AdamW([("weight", weight), ("gamma", gamma), ("beta", beta)], weightDecay: 0.02f);
        using Tensor x = device.FromHost(Waves(2 * Tokens * Inputs), new Shape(2, Tokens, Inputs));
        StepState? state = stored ? KernelSet.For(device).State : null;
        using var graphs = new StepGraphs(device, driver, required: true, _ => { }) { Plain = Plain };
        for (int i = 0; i < steps; i++)
        {
            ulong seed = (ulong)(100 + i);
            var numbers = optimizer.Numbers(0.01f / (1 + i), 0.5f);
            state?.Write(Tape.StreamOf(seed), numbers);
            using var step = graphs.Begin("small");
            step.Run("step", () => Step(seed), optimizer.ClearGradients);
            step.Complete();
            optimizer.ClearGradients();
            optimizer.Steps++;

            IDisposable Step(ulong key)
            {
                var tape = new Tape(device, recording: true, key) { KeysAreStored = stored };
                var hidden = tape.Linear(tape.Dropout(tape.Constant(x.Share()), 0.2f), weight, null);
                hidden = frozen is null ? hidden : tape.Linear(hidden, frozen, null);
                Variable q = tape.Slice(hidden, -1, 0, width), k = tape.Slice(hidden, -1, width, width), v = tape.Slice(hidden, -1, 2 * width, width);
                var y = tape.AddLayerNorm(q, tape.Attention(q, k, v, Heads, 0.3f), 0.25f, gamma, beta, 1e-5f);
                tape.Backward(tape.Mean(tape.Multiply(y, y)));
                if (state is not null)
                {
                    optimizer.ClipOnDevice(0.1, state);
                }
                else
                {
                    optimizer.ClipGradientNorm(0.1);
                }

                optimizer.Update(numbers, stored);
                return tape;
            }
        }

        if (driver is not null)
        {
            Assert.Equal((1, steps - Plain, 1), (driver.Captures, driver.Launches, driver.Live));
        }

        return [.. new[] { weight, gamma, beta }.SelectMany(parameter => parameter.Value.ToArray())];
    }

    private static float[] Waves(int count) => [.. Enumerable.Range(0, count).Select(i => MathF.Sin(i))];
}
