using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>The PTX checks find what they are for.</summary>
public class PtxLintTests
{
    private const string Module =
        """
        .version 8.0
        .target sm_80
        .address_size 64

        .visible .entry Kernel(
            .param .align 8 .b8 _args[16]
        )
        .maxntid 32, 1, 1
        {
            .shared .align 16 .b8 tile[512];

            .reg .pred %p<2>;
            .reg .b32 %r<8>;
            .reg .b64 %rd<4>;
            .reg .f32 %f<9>;

            ld.param.b64 %rd1, [_args];
            cvta.to.global.u64 %rd2, %rd1;
            mov.b64 %rd3, tile;
            mov.b32 %r1, %tid.x;
            ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r2, %r3, %r4, %r5}, [%rd3];
            ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd2+16];
            mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f5, %f6, %f7, %f8}, {%r2, %r3, %r4, %r5}, {%r2, %r3}, {%f1, %f2, %f3, %f4};
            setp.lt.s32 %p1, %r1, 7;
            @%p1 bra L_1;
            st.global.v4.f32 [%rd2], {%f5, %f6, %f7, %f8};
            L_1:
            ret;
        }
        """;

    [Fact]
    public void AcceptsWhatIsLegal()
    {
        Assert.Empty(PtxLint.Check(new PtxText(Module)));
        Assert.Equal(512, PtxLint.SharedBytes(new PtxText(Module)));
    }

    [Theory]
    [InlineData("sm_80", "sm_90", "sm_80")]
    [InlineData("%r<8>", "%r<5>", "%r5 is not declared")]
    [InlineData("mov.b32 %r1, %tid.x;", "", "%r1 is never written")]
    [InlineData("m16n8k16", "m16n8k32", "unknown instruction form")]
    [InlineData("{%r2, %r3}, {%f1", "{%r2}, {%f1", "operands of mma")]
    [InlineData("{%r2, %r3}, {%f1", "{%f1, %f2}, {%f1", "operands of mma")]
    [InlineData("[%rd2+16]", "[%rd2+8]", "misaligned")]
    [InlineData("[%rd2+16]", "[%r1]", "64 bits")]
    [InlineData("bra L_1", "bra L_2", "no such label")]
    [InlineData("setp.lt.s32 %p1, %r1, 7", "setp.lt.s64 %p1, %r1, 7", "%r1 is no s64")]
    [InlineData("setp.lt.s32 %p1, %r1, 7", "setp.lt.s32 %p1, %f1, 7", "%f1 is no s32")]
    [InlineData("setp.lt.s32 %p1, %r1, 7", "setp.lt.s32 %p1, %r1", "operands expected")]
    [InlineData("st.global.v4.f32 [%rd2], {%f5, %f6, %f7, %f8}", "st.global.v4.f32 [%rd2], {%f5, %f6, %f7}", "4 registers expected")]
    [InlineData("ld.global.v4.f32 {%f1", "ld.global.v4.f64 {%f1", "%f1 is no f64")]
    [InlineData(".shared .align 16", ".shared .align 3", "alignment")]
    [InlineData(".reg .pred", ".local .align 4 .b8 x[4];\n.reg .pred", "unknown declaration")]
    [InlineData("    ret;", "", "runs off the end")]
    public void FindsWhatIsNot(string text, string instead, string error)
    {
        Assert.Contains(text, Module);
        Assert.Contains(PtxLint.Check(new PtxText(Module.Replace(text, instead, StringComparison.Ordinal))), found => found.Contains(error));
    }
}
