using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Tensors;

/// <summary>How much freed memory a CPU device keeps. Blocks that nobody writes to cost the machine nothing.</summary>
public sealed class SpareMemoryTests : IDisposable
{
    private const long MiB = 1L << 20;

    private readonly CpuDevice _device = new(1) { Left = () => long.MaxValue };

    [Fact]
    public void SizesThatChangeAllTheTimeDoNotKeepABlockOfEach()
    {
        // 32 size classes, 11 GiB together; the largest is just below one.
        for (int i = 0; i < 32; i++)
        {
            Rent((64L << (i / 8)) * (8 + (i % 8)) / 8);
            Rent(3);
        }

        long most = (4 * _device.Pool.PeakBytes) + (256 * MiB);
        Assert.InRange(most, 3 * 1024 * MiB, 5 * 1024 * MiB);
        Assert.InRange(_device.Pool.ReservedBytes, _device.Pool.PeakBytes, most);

        // What was asked for last is still there, and so is what is asked for all the time.
        long allocations = _device.Pool.DeviceAllocations;
        Rent(3);
        Rent(960);
        Assert.Equal(allocations, _device.Pool.DeviceAllocations);
    }

    [Fact]
    public void StepsThatRepeatGetTheirBlocksBack()
    {
        long[] sizes = [900, 500, 200, 100, 48, 7];
        foreach (long size in sizes)
        {
            Rent(size);
        }

        long allocations = _device.Pool.DeviceAllocations;
        for (int i = 0; i < 20; i++)
        {
            Rent(sizes[i % sizes.Length]);
        }

        Assert.Equal(allocations, _device.Pool.DeviceAllocations);
    }

    public void Dispose() => _device.Dispose();

    private void Rent(long mebibytes) => _device.Empty(new Shape((int)(mebibytes * MiB / sizeof(float)))).Dispose();
}
