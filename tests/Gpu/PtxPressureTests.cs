using Ldvc.Kernels.Gpu;
using Ldvc.Ptx;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// Registers that hold live values, counted from the PTX: the count itself, that no kernel needs more than it may have, and docs/kernels.md.
/// </summary>
public class PtxPressureTests
{
    /// <summary>What an assembler may add to live values: addresses, aligned vectors, loads that it moves ahead.</summary>
    private const int Margin = 20;

    public static TheoryData<string> Names => [.. GpuKernelCatalog.All.Select(kernel => kernel.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void LeavesTheAssemblerRoom(string name)
    {
        var kernel = GpuKernelCatalog.All.Single(candidate => candidate.Name == name);
        var pressure = PtxPressure.Of(new PtxFlow(PtxModule.Parse(PtxCompiler.Compile(kernel)).Kernel));
        Assert.True(
            pressure.Registers + Margin <= kernel.MaxRegisters,
            $"{name}: {pressure.Registers} registers are live at line {pressure.Line} of its PTX, {kernel.MaxRegisters} less {Margin} may be");
        string[]? row = KernelTableTests.Rows().Find(row => row.Name == name).Cells;
        Assert.True(row is not null, $"docs/kernels.md has no row for {name}");
        Assert.True(row[4] == $"{pressure.Registers}", $"{name}: {row[4]} registers in docs/kernels.md, {pressure.Registers} in its PTX");
    }

    /// <summary>By hand: before the sum, a 64-bit value (2), two floats and an integer are needed; a constant and an argument are free.</summary>
    [Fact]
    public void CountsWhatIsLive()
    {
        const string text =
            """
            .version 8.0
            .target sm_80
            .address_size 64
            .visible .entry Kernel(
                .param .b64 _p
            )
            .maxntid 32, 1, 1
            {
                .reg .pred %p<2>;
                .reg .b32 %r<3>;
                .reg .b64 %rd<4>;
                .reg .f32 %f<4>;
                ld.param.b64 %rd1, [_p];
                mov.b32 %r1, %tid.x;
                mov.b32 %r2, 4;
                mul.wide.u32 %rd2, %r1, 4;
                ld.global.f32 %f1, [%rd1];
                ld.global.f32 %f2, [%rd1+4];
                L_1:
                add.f32 %f3, %f1, %f2;
                mov.f32 %f1, %f3;
                setp.lt.u32 %p1, %r1, %r2;
                @%p1 bra L_1;
                add.u64 %rd3, %rd1, %rd2;
                st.global.f32 [%rd3], %f1;
                ret;
            }
            """;
        Assert.Empty(PtxVerifier.Check(text, 80));

        // From the second load on: %rd2 (2), %r1, %f1 or %f3, %f2; with arguments %rd1 (2) and %r2 as well.
        Assert.Equal(new PtxPressure(5, 8, 1, 18), PtxPressure.Of(new PtxFlow(PtxModule.Parse(text).Kernel)));
    }
}
