using Ldvc.Cases;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;
using Ldvc.Tests.Kernels;
using Xunit;

namespace Ldvc.Tests.Autograd;

/// <summary>Every case of the list on the CPU.</summary>
[Collection("simd")]
public sealed class OpCaseTests : IDisposable
{
    // The CPU keeps to a tenth of what devices may be off by.
    private const double Looseness = 0.1;

    private readonly int _bits = SimdLevel.Bits;

    public static TheoryData<string, int> AtEveryWidth
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var c in OpCaseList.Checked)
            {
                data.Add(c.Name, 128);
                data.Add(c.Name, 256);
                data.Add(c.Name, 512);
            }

            return data;
        }
    }

    public static TheoryData<string> Names => [.. OpCaseList.Checked.Select(c => c.Name)];

    public static TheoryData<string> RealNames => [.. OpCaseList.All.Where(c => c.Real).Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(AtEveryWidth))]
    public void MatchesFloat64(string name, int bits)
    {
        SimdLevel.Bits = bits;
        using var device = new CpuDevice(2);
        CaseAssert.Passed(CaseRunner.Check(OpCaseList.Named(name), device, Looseness));
        Assert.Equal(0, device.Pool.LiveBlocks);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void FrozenInputsGetNoGradientAndChangeNoOther(string name)
    {
        var c = OpCaseList.Named(name);
        using var device = new CpuDevice(1);
        var all = CaseRunner.Run(c, device, new OpRunOptions());
        for (int only = 0; only < c.Inputs.Length; only++)
        {
            var one = CaseRunner.Run(c, device, new OpRunOptions { OnlyGradient = only });
            Assert.Equal(all.Output, one.Output);
            for (int i = 0; i < c.Inputs.Length; i++)
            {
                Assert.Equal(i == only ? all.Gradients[i] : null, one.Gradients[i]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ThreadsDoNotChangeABit(string name)
    {
        var c = OpCaseList.Named(name);
        using var one = new CpuDevice(1);
        using var three = new CpuDevice(3);
        OpResult expected = CaseRunner.Run(c, one, new OpRunOptions()), actual = CaseRunner.Run(c, three, new OpRunOptions());
        Assert.Equal(expected.Output, actual.Output);
        Assert.Equal(expected.Gradients, actual.Gradients);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void InferenceKeepsNothingAndGivesTheSame(string name)
    {
        var c = OpCaseList.Named(name);
        using var device = new CpuDevice(1);
        using var run = new OpRun(c, device);
        float[] output = run.Infer();
        if (c.Random)
        {
            Assert.NotEqual(run.Run(new OpRunOptions()).Output, output);
        }
        else
        {
            Assert.Equal(run.Run(new OpRunOptions()).Output, output);
        }
    }

    // At real sizes the narrowest vectors and one thread are the reference of the widest and two.
    [Theory]
    [MemberData(nameof(RealNames))]
    public void RealSizesAgreeAcrossWidths(string name)
    {
        var c = OpCaseList.Named(name);
        OpResult oracle;
        using (var device = new CpuDevice(2))
        {
            SimdLevel.Bits = 256;
            oracle = CaseRunner.Run(c, device, new OpRunOptions());
        }

        SimdLevel.Bits = 512;
        using var other = new CpuDevice(1);
        CaseAssert.Passed(CaseRunner.Check(c, other, oracle));
    }

    public void Dispose() => SimdLevel.Bits = _bits;
}
