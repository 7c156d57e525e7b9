using Ldvc.Cases;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Kernels;

/// <summary>Every kernel call of the list on the CPU.</summary>
[Collection("simd")]
public sealed class KernelCaseTests : IDisposable
{
    private readonly int _bits = SimdLevel.Bits;

    public static TheoryData<string, int> AtEveryWidth
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var c in KernelCaseList.Checked)
            {
                data.Add(c.Name, 128);
                data.Add(c.Name, 256);
                data.Add(c.Name, 512);
            }

            return data;
        }
    }

    public static TheoryData<string> CheckedNames => [.. KernelCaseList.Checked.Select(c => c.Name)];

    public static TheoryData<string> RealNames => [.. KernelCaseList.All.Where(c => c.Real).Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(AtEveryWidth))]
    public void MatchesFloat64(string name, int bits)
    {
        SimdLevel.Bits = bits;
        using var device = new CpuDevice(2);
        CaseAssert.Passed(CaseRunner.Check(KernelCaseList.Named(name), device));
        Assert.Equal(0, device.Pool.LiveBlocks);
    }

    [Theory]
    [MemberData(nameof(RealNames))]
    public void RealSizesRunAgainAndAgain(string name)
    {
        using var device = new CpuDevice(2);
        using var run = KernelCaseList.Named(name).Prepare(device);
        run.Launch();
        if (run.Compare is { } compare)
        {
            CaseAssert.Passed([.. compare()]);
        }

        run.Launch();
    }

    [Theory]
    [MemberData(nameof(CheckedNames))]
    public void SteadyStateAllocatesNothing(string name)
    {
        using var device = new CpuDevice(1);
        using var run = KernelCaseList.Named(name).Prepare(device);

        // The least of several: the runtime may recompile a method, or have something of its own to do, during any of them.
        long least = long.MaxValue;
        for (int i = 0; i < 6; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            run.Launch();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    public void Dispose() => SimdLevel.Bits = _bits;
}
