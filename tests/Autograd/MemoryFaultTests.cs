using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Autograd.Optimizers;
using Ldvc.Cases;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Autograd;

/// <summary>Memory that runs out at each allocation of each operation: nothing of what it had made is left.</summary>
public sealed class MemoryFaultTests
{
    // Above what any case asks for.
    private const int MaxAllocations = 100;

    public static TheoryData<string> Methods => [.. OpCaseList.Checked.Select(c => c.Method).Distinct()];

    [Theory]
    [MemberData(nameof(Methods))]
    public void AnOperationThatFailsLeavesNothing(string method)
    {
        var cases = OpCaseList.Checked.Where(c => c.Method == method).ToArray();
        var smallest = cases.FirstOrDefault(c => c.Tiny, cases[0]);
        int refused = 1;
        while (Run(smallest, refused) && refused < MaxAllocations)
        {
            refused++;
        }

        Assert.InRange(refused, 2, MaxAllocations - 1);
    }

    [Fact]
    public void ModulesAndOptimizersThatFailLeaveNothing()
    {
        using var device = new CpuDevice(1, watched: true);
        var init = new Initializer(device, 1);
        using var model = new Linear(init, 3, 2);
        long before = device.Pool.LiveBlocks;
        Func<IDisposable>[] makers = [() => new Linear(init, 5, 7), () => new LayerNorm(init, 11), () => new AdamW(model.Parameters())];
        foreach (var make in makers)
        {
            int failures = 0;
            for (int refused = 1; ; refused++)
            {
                device.Pool.Trim();
                IDisposable? made = null;
                var error = Refusing(refused, () => made = make());
                made?.Dispose();
                Assert.Equal(before, device.Pool.LiveBlocks);
                if (error is null)
                {
                    break;
                }

                Assert.IsType<InputException>(error);
                failures++;
            }

            Assert.InRange(failures, 2, 4);
        }
    }

    // Before the tape ends, so that a smaller size can be tried on it.
    [Fact]
    public void WhatCameBeforeTheRefusedOneIsFreedAtOnce()
    {
        using var device = new CpuDevice(1, watched: true);
        using var tape = new Tape(device, recording: true);
        Variable x = tape.Input(device.Zeros(new Shape(5, 7))), gamma = tape.Input(device.Zeros(new Shape(7)));
        for (int refused = 1; refused <= 3; refused++)
        {
            Assert.IsType<InputException>(Refusing(refused, () => tape.LayerNorm(x, gamma, gamma, 1e-5f)));
            Assert.Equal(2, device.Pool.LiveBlocks);
            device.Pool.Trim();
        }

        // A kernel that finds no memory of its own: with the next operation.
        device.Pool.Trim();
        Assert.IsType<InputException>(Refusing(2, () => tape.MatMulTransposed(x, x, 1)));
        tape.Scale(x, 2);
        Assert.Equal(3, device.Pool.LiveBlocks);
    }

    // Says whether something was refused.
    private static bool Run(OpCase c, int refused)
    {
        // A device of its own: everything is asked of the system, scratch memory too.
        using var device = new CpuDevice(1, watched: true);
        Tensor[] tensors = [.. c.Draw().Select((values, i) => device.FromHost(values, c.Inputs[i].Shape))];
        Exception? error;
        using (var tape = new Tape(device, recording: true, c.Seed))
        {
            Variable[] inputs = [.. tensors.Select(t => tape.Input(t.Share()))];
            error = Refusing(refused, () =>
            {
                var output = c.Run(tape, inputs);
                if (c.Differentiable)
                {
                    tape.Backward(output);
                }
            });
        }

        foreach (var tensor in tensors)
        {
            tensor.Dispose();
        }

        Assert.True(error is null or InputException, $"{c.Name}: {error}");
        Assert.Equal(0, device.Pool.LiveBlocks);
        return error is not null;
    }

    private static Exception? Refusing(int refused, Action act)
    {
        int left = refused;
        CpuMemory.Refuses = _ => --left <= 0;
        try
        {
            return Record.Exception(act);
        }
        finally
        {
            CpuMemory.Refuses = null;
        }
    }
}
