using Ldvc.Tensors;
using Ldvc.Tensors.Distributed;
using Xunit;

namespace Ldvc.Tests.Distributed;

/// <summary>The group of threads that other tests run several ranks with, and the group of one.</summary>
public sealed class ThreadProcessGroupTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void OperationsAreThoseOfAGroup(int size)
    {
        int ranks = Enumerable.Range(0, size).Sum();
        ThreadProcessGroup.Run(size, group =>
        {
            float[] floats = [group.Rank, 1, 0.5f];
            IPendingSum pending = group.BeginSum(floats.AsMemory());
            long[] largest = [group.Rank, -group.Rank];
            group.Max(largest);
            Assert.Equal([size - 1, 0], largest);
            pending.Wait();
            Assert.Equal([ranks, size, 0.5f * size], floats);
            byte[] data = [(byte)group.Rank];
            group.Broadcast(data, size - 1);
            Assert.Equal([(byte)(size - 1)], data);
            byte[][]? gathered = group.Gather(new byte[group.Rank], 0);
            Assert.Equal(group.Rank == 0 ? Enumerable.Range(0, size).ToArray() : null, gathered?.Select(part => part.Length).ToArray());
            using var device = new CpuDevice(1);
            using Tensor halves = device.FromHostRounded([0.5f, group.Rank], new Shape(2));
            group.BeginSum(halves).Wait();
            group.Barrier();
        });
    }

    [Fact]
    public void SumsAreInTheOrderOfTheRanks()
    {
        float[] parts = [1e8f, 1, -1e8f, 1];
        ThreadProcessGroup.Run(4, group =>
        {
            float[] value = [parts[group.Rank]];
            group.Sum(value);
            Assert.Equal(((parts[0] + parts[1]) + parts[2]) + parts[3], value[0]);
        });
    }

    [Fact]
    public void WhatWouldHangIsAnException()
    {
        var different = Assert.Throws<ProcessGroupException>(() => ThreadProcessGroup.Run(2, group =>
        {
            if (group.Rank == 0)
            {
                group.Barrier();
            }
            else
            {
                group.Sum(new float[3]);
            }
        }));
        Assert.Contains("another rank called", different.Message);
        var missing = Assert.Throws<ProcessGroupException>(() => ThreadProcessGroup.Run(2, group =>
        {
            if (group.Rank == 0)
            {
                group.Barrier();
            }
        }));
        Assert.Contains("has ended without it", missing.Message);
        var thrown = Assert.Throws<InputException>(() => ThreadProcessGroup.Run(3, group =>
        {
            if (group.Rank == 1)
            {
                throw new InputException("a.png: damaged");
            }

            group.Barrier();
        }));
        Assert.Equal("a.png: damaged", thrown.Message);
    }

    [Fact]
    public void RootsAndTensorsAreChecked()
    {
        IProcessGroup alone = SingleProcessGroup.Instance;
        Assert.Throws<ArgumentOutOfRangeException>(() => alone.Broadcast([], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => alone.Gather([], -1));
        using var device = new CpuDevice(1);
        using Tensor labels = device.FromHost(new byte[] { 1 }, new Shape(1));
        Assert.Contains("expected float32, bf16 or fp16", Assert.Throws<ArgumentException>(() => alone.BeginSum(labels)).Message);
        Assert.Equal([7], alone.Gather([7], 0)![0]);
    }
}
