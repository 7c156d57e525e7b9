using Ldvc.Autograd;
using Ldvc.Cases;
using Ldvc.Kernels;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Autograd;

/// <summary>Nothing is without a case, and the functions that say so can say otherwise.</summary>
public class CoverageTests(ITestOutputHelper output)
{
    private static readonly Type[] OpTypes = typeof(Tape).Assembly.GetTypes();

    [Fact]
    public void EveryOperationHasCases()
    {
        var missing = CaseCoverage.UntestedOperations(OpTypes, OpCaseList.All);
        output.WriteLine($"untested ops: {missing.Count} of {CaseCoverage.Operations(OpTypes).Count()}");
        Assert.True(missing.Count == 0, string.Join(Environment.NewLine, missing));
        Assert.True(CaseCoverage.Operations(OpTypes).Count() >= 23);
    }

    [Fact]
    public void EveryContractMethodIsReached()
    {
        string[] contracts = [.. typeof(KernelSet).Assembly.GetTypes()
            .Where(t => t.IsInterface && t.Name.EndsWith("Kernels", StringComparison.Ordinal)).Select(t => t.Name).Order()];
        Assert.Equal(contracts, CountingKernels.Contracts.Select(t => t.Name).Order());
        var called = CaseCoverage.CalledMethods(OpCaseList.Checked, KernelCaseList.Checked);
        var missing = CaseCoverage.UntestedMethods(CountingKernels.Contracts, called);
        output.WriteLine($"untested kernels: {missing.Count} of {missing.Count + called.Count}");
        Assert.True(missing.Count == 0, string.Join(Environment.NewLine, missing));
    }

    [Fact]
    public void CasesRunTheOperationTheyName()
    {
        foreach (var c in OpCaseList.Checked)
        {
            using var device = new CpuDevice(1);
            var recorded = CaseRunner.Run(c, device, new OpRunOptions()).Recorded;
            Assert.True(
                c.Differentiable ? recorded.Contains(c.Op) : recorded.Length == 0,
                $"{c.Name} does not record {c.Op.Name}, or records though it is a mask");
        }
    }

    [Fact]
    public void KernelCasesCallTheMethodTheyName()
    {
        foreach (var c in KernelCaseList.Checked)
        {
            Assert.Contains($"{c.Contract.Name}.{c.Method}", CaseCoverage.CalledMethods([], [c]));
        }
    }

    [Fact]
    public void NamesAreUnique()
    {
        Assert.Equal(OpCaseList.All.Count, OpCaseList.All.Select(c => c.Name).Distinct().Count());
        Assert.Equal(KernelCaseList.All.Count, KernelCaseList.All.Select(c => c.Name).Distinct().Count());
    }

    [Fact]
    public void AnOperationWithoutCasesIsFound()
    {
        var missing = CaseCoverage.UntestedOperations([.. OpTypes, typeof(Ldvc.Autograd.Ops.FakeOp)], OpCaseList.All);
        Assert.Equal(3, missing.Count);
        Assert.All(missing, line => Assert.StartsWith("FakeOp.Fake has no ", line, StringComparison.Ordinal));
        Assert.Contains(
            CaseCoverage.UntestedOperations(OpTypes, OpCaseList.All.Where(c => c.Real)),
            line => line.StartsWith("RouteAttentionOp.RouteAttention", StringComparison.Ordinal));
    }

    [Fact]
    public void AMethodThatNobodyCallsIsFound()
    {
        var called = CaseCoverage.CalledMethods([OpCaseList.Named("Add [2, 3, 5]")], []);
        Assert.Equal(["IElementwiseKernels.Add"], called);
        Assert.Equal(["IFakeKernels.Never"], CaseCoverage.UntestedMethods([typeof(IFakeKernels)], new HashSet<string> { "IFakeKernels.Called" }));
    }

    private interface IFakeKernels
    {
        void Called();

        void Never();
    }
}
