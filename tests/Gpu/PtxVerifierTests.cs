using Ldvc.Ptx;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>The PTX verifier accepts what is legal and finds each kind of error that an assembler would.</summary>
public class PtxVerifierTests
{
    private const string Module =
        """
        // A kernel with a bit of everything.
        .version 8.0
        .target sm_80
        .address_size 64

        .visible .func Nothing(
        )
        ;

        .visible .func Nothing(
        )
        {
            ret;
        }

        .visible .entry Kernel(
            .param .align 8 .b8 _args[16]
        )
        .maxntid 32, 1, 1
        .minnctapersm 2
        {
            .shared .align 16 .b8 tile[512];

            .reg .pred %p<4>;
            .reg .b16 %rs<2>;
            .reg .b32 %r<10>;
            .reg .b64 %rd<6>;
            .reg .f32 %f<12>;
            .reg .f64 %fd<3>;

            ld.param.b64 %rd1, [_args];
            cvta.to.global.u64 %rd2, %rd1;
            mov.b64 %rd3, tile;
            mov.b32 %r1, %tid.x;
            ld.global.u8 %rs1, [%rd2];
            cvt.u32.u8 %r6, %rs1;
            cvt.rn.f32.u32 %f9, %r6;
            cvt.f64.f32 %fd1, %f9;
            cvt.rn.f32.f64 %f9, %fd1;
            cvt.rzi.s32.f32 %r7, %f9;
            shl.b64 %rd4, %rd1, 3;
            cp.async.cg.shared.global [%rd3], [%rd2], 16, %r1;
            cp.async.ca.shared.global [tile+16], [%rd2], 8;
            cp.async.commit_group;
            cp.async.wait_group 0;
            bar.sync 0;
            ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r2, %r3, %r4, %r5}, [%rd3];
            ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd2+16];
            mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f5, %f6, %f7, %f8}, {%r2, %r3, %r4, %r5}, {%r2, %r3}, {%f1, %f2, %f3, %f4};
            cvt.rn.bf16x2.f32 %r8, %f1, %f2;
            mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f5, %f6, %f7, %f8}, {%r2, %r3, %r4, %r5}, {%r2, %r3}, {%f1, %f2, %f3, %f4};
            cvt.rn.f16x2.f32 %r8, %f1, %f2;
            cvt.u16.u32 %rs1, %r8;
            cvt.f32.f16 %f9, %rs1;
            red.global.or.b32 [%rd2], 1;
            shfl.sync.bfly.b32 %f10, %f1, 1, 31, 4294967295;
            setp.lt.s32 %p1, %r1, 7;
            setp.lo.u32 %p2, %r1, 7;
            and.pred %p3, %p1, %p2;
            selp.b32 %f11, %f10, 0f00000000, %p3;
            rcp.rn.f32 %f11, %f11;
            @!%p3 bra L_1;
            st.global.v4.f32 [%rd2], {%f5, %f6, %f7, %f8};
            L_1:
            st.global.v2.f32 [%rd2+8], {%f11, 0f3F800000};
            ret;
        }
        """;

    [Fact]
    public void AcceptsWhatIsLegal()
    {
        Assert.Empty(PtxVerifier.Check(Module, 80));
        Assert.Empty(PtxVerifier.Check(Module, 90));
        Assert.Equal(512, PtxModule.Parse(Module).Kernel.SharedBytes);
    }

    [Theory]

    // The header.
    [InlineData(".target sm_80", ".target sm_90", "does not run on sm_80")]
    [InlineData(".target sm_80", ".target sm_75", "needs ISA 7.0 and sm_80")]
    [InlineData(".target sm_80", ".target sm_13", "is not known")]
    [InlineData(".version 8.0", ".version 6.3", "needs ISA 7.0")]
    [InlineData(".version 8.0", "", ".version")]
    [InlineData(".address_size 64", ".address_size 32", ".address_size 64")]
    [InlineData(".address_size 64", ".address_size 64\n.address_size 64", "twice")]

    // Declarations.
    [InlineData("%r<10>", "%r<5>", "%r5 is not declared")]
    [InlineData(".reg .pred %p<4>;", ".reg .pred %p<4>;\n.reg .b32 %p<2>;", "declared twice")]
    [InlineData(".shared .align 16", ".shared .align 3", "alignment 3")]
    [InlineData(".shared .align 16", ".shared .align 8", "aligned to 8")]
    [InlineData("tile[512]", "tile[65536]", "65536 bytes of shared memory")]
    [InlineData("tile[512]", "tile[20]", "tile has 20 bytes")]
    [InlineData("_args[16]", "_args[5000]", "5000 bytes of parameters")]
    [InlineData(".reg .pred", ".local .align 4 .b8 x[4];\n.reg .pred", ".local memory")]
    [InlineData(".maxntid 32, 1, 1", ".maxntid 2048, 1, 1", "2048 threads")]
    [InlineData(".maxntid 32, 1, 1", "", ".minnctapersm needs .maxntid")]

    // Instructions and their suffixes.
    [InlineData("m16n8k16", "m16n8k32", "unknown instruction form")]
    [InlineData("rcp.rn.f32", "rcp.f32", "unknown instruction form")]
    [InlineData("cvt.rn.f32.u32", "cvt.f32.u32", "unknown instruction form")]
    [InlineData("cvt.rzi.s32.f32", "cvt.s32.f32", "unknown instruction form")]
    [InlineData("cvt.f64.f32", "cvt.rn.f64.f32", "unknown instruction form")]
    [InlineData("setp.lo.u32", "setp.lo.s32", "unknown instruction form")]
    [InlineData("setp.lt.s32", "setp.lt.b32", "unknown instruction form")]
    [InlineData("bar.sync 0", "bar.sink 0", "unknown instruction form")]
    [InlineData("bar.sync 0", "bar.sync 16", "numbered 0 to 15")]
    [InlineData("bar.sync 0", "bar.sync 0, 48", "whole warps")]
    [InlineData("1, 31, 4294967295", "1, 63, 4294967295", "clamp")]

    // Operands: how many, and in which registers.
    [InlineData("setp.lt.s32 %p1, %r1, 7", "setp.lt.s32 %p1, %r1", "operands expected")]
    [InlineData("setp.lt.s32 %p1, %r1, 7", "setp.lt.s64 %p1, %r1, 7", "%r1 is .b32, which is no .s64")]
    [InlineData("setp.lt.s32 %p1, %r1, 7", "setp.lt.s32 %p1, %f1, 7", "%f1 is .f32, which is no .s32")]
    [InlineData("setp.lt.s32 %p1, %r1, 7", "setp.lt.s32 %r9, %r1, 7", "%r9 is .b32, which is no .pred")]
    [InlineData("setp.lt.s32 %p1, %r1, 7", "setp.lt.s32 %p1, %tid.x, 7", "read by mov and cvt alone")]
    [InlineData("setp.lt.s32 %p1, %r1, 7", "setp.lt.s32 %p1, %r1, 0f00000000", "0f00000000 is no .s32")]
    [InlineData("setp.lt.s32 %p1, %r1, 7", "setp.lt.s32 %p1, %r1, 99999999999", "too large")]
    [InlineData("rcp.rn.f32 %f11, %f11", "rcp.rn.f32 %f11, 1", "floats are written 0f or 0d")]
    [InlineData("rcp.rn.f32 %f11, %f11", "rcp.rn.f32 0f00000000, %f11", "only registers can be written")]
    [InlineData("selp.b32 %f11, %f10, 0f00000000, %p3", "selp.b32 %f11, %f10, 0f00000000, %r1", "%r1 is .b32, which is no .pred")]
    [InlineData("shl.b64 %rd4, %rd1, 3", "shl.b64 %rd4, %rd1, %rd1", "%rd1 is .b64, which is no .b32")]
    [InlineData("cvt.f64.f32 %fd1, %f9", "cvt.f64.f32 %f9, %f9", "%f9 is .f32, which is no .f64")]
    [InlineData("@!%p3", "@!%r1", "no declared predicate")]
    [InlineData("{%r2, %r3}, {%f1", "{%r2}, {%f1", "'B' takes 2 registers of .b32")]
    [InlineData("{%r2, %r3}, {%f1", "{%f1, %f2}, {%f1", "'B' takes 2 registers of .b32")]
    [InlineData("{%r2, %r3, %r4, %r5}, [%rd3]", "{%r2, %r3}, [%rd3]", "4 registers in braces")]
    [InlineData("st.global.v4.f32 [%rd2], {%f5, %f6, %f7, %f8}", "st.global.v4.f32 [%rd2], {%f5, %f6, %f7}", "4 registers in braces")]
    [InlineData("ld.global.v4.f32 {%f1, %f2", "ld.global.v4.f32 {%f1, %f1", "written twice")]
    [InlineData("ld.global.v4.f32 {%f1", "ld.global.v4.f64 {%f1", "%f1 is .f32, which is no .f64")]
    [InlineData("[%rd2], 16, %r1", "[%rd2], 8, %r1", "cp.async.cg copies 16 bytes")]
    [InlineData("[%rd2], 8;", "[%rd2], 12;", "cp.async.ca copies 4, 8 or 16 bytes")]
    [InlineData("[%rd2], 8;", "[%rd2], 8, 9;", "more source bytes")]

    // Addresses.
    [InlineData("[%rd2+16]", "[%rd2+8]", "misaligned")]
    [InlineData("[%rd2+16]", "[%r1]", "64 bits")]
    [InlineData("[%rd2+16]", "[tile]", "lies in .shared")]
    [InlineData("[%rd2+16]", "%rd2", "an address in brackets expected")]
    [InlineData("[_args]", "[_args+12]", "misaligned")]
    [InlineData("[_args]", "[_args+16]", "_args has 16 bytes")]
    [InlineData("[_args]", "[_arg]", "_arg is not declared")]
    [InlineData("mov.b64 %rd3, tile", "mov.b32 %r9, tile;\nmov.b64 %rd3, 0", "an address is no .b32")]

    // Flow.
    [InlineData("mov.b32 %r1, %tid.x;", "", "%r1 may be read before it is written")]
    [InlineData("mov.b32 %r1, %tid.x;", "@%p3 mov.b32 %r1, %tid.x;", "%r1 may be read before it is written")]
    [InlineData("st.global.v4.f32 [%rd2], {%f5, %f6, %f7, %f8};", "mov.b32 %r9, 1;\nL_2:", "")]
    [InlineData("bra L_1", "bra L_2", "no such label")]
    [InlineData("bra L_1", "bra.uni L_1", "threads of a warp may disagree on %p3")]
    [InlineData("L_1:", "L_1:\nL_1:", "twice")]
    [InlineData("0f3F800000};\n    ret;", "0f3F800000};", "runs off the end")]

    // What is no PTX at all.
    [InlineData("rcp.rn.f32 %f11, %f11;", "rcp.rn.f32 %f11, %f11", "expected ','")]
    [InlineData("rcp.rn.f32 %f11, %f11;", "rcp.rn.f32 %f11, %1;", "%1 is not declared")]
    [InlineData("rcp.rn.f32 %f11, %f11;", "asm(\"rcp.rn.f32 %f11, %f11;\");", "no place in PTX")]
    [InlineData("0f3F800000", "0f3F80000", "is no constant")]
    [InlineData(".shared .align 16", ".shared .aligned 16", "is no type")]
    public void FindsWhatIsNot(string text, string instead, string error)
    {
        Assert.Contains(text, Module);
        var found = PtxVerifier.Check(Module.Replace(text, instead, StringComparison.Ordinal), 80);
        if (error.Length == 0)
        {
            Assert.Empty(found);
            return;
        }

        Assert.Contains(found, finding => finding.Contains(error, StringComparison.Ordinal));
    }

    /// <summary>A register that only one side of a branch writes is found behind the branch, though the text writes it earlier.</summary>
    [Fact]
    public void FindsAReadThatOneWayHasNotWritten()
    {
        string broken = Module.Replace("st.global.v4.f32 [%rd2], {%f5, %f6, %f7, %f8};", "mov.b32 %r9, 1;", StringComparison.Ordinal)
            .Replace("L_1:", "L_1:\nst.global.b32 [%rd2], %r9;", StringComparison.Ordinal);
        Assert.Contains(PtxVerifier.Check(broken, 80), finding => finding.Contains("%r9 may be read before it is written", StringComparison.Ordinal));
    }

    /// <summary>A finding names its line, function and instruction.</summary>
    [Fact]
    public void SaysWhere() => Assert.Equal(
        ["line 46: Kernel: barriers are numbered 0 to 15: bar.sync 99"],
        PtxVerifier.Check(Module.Replace("bar.sync 0", "bar.sync 99", StringComparison.Ordinal), 80));
}
