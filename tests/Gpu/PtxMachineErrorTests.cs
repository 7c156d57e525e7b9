using System.Runtime.InteropServices;
using Ldvc.Ptx;
using Ldvc.Ptx.Machine;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>What a card leaves undefined, the machine calls an error; what is defined, it computes as the PTX manual says.</summary>
public class PtxMachineErrorTests
{
    private const int Values = 256;
    private const string Race = "without a barrier between";

    // Before each: r1 = tid, rd2 = the view, rd3 = view + 4 tid, rd4 = tile + 4 tid, rd5 = tile + 4 (tid ^ 1), rd6 = tile + 4 (tid ^ 32).
    [Theory]

    // Another warp, and another lane of the same one.
    [InlineData("st.shared.b32 [%rd4], %r1; ld.shared.b32 %r2, [%rd6];", Race)]
    [InlineData("st.shared.b32 [%rd4], %r1; bar.sync 0; ld.shared.b32 %r2, [%rd6];", "")]
    [InlineData("st.shared.b32 [%rd4], %r1; bar.warp.sync 4294967295; ld.shared.b32 %r2, [%rd6];", Race)]
    [InlineData("st.shared.b32 [%rd4], %r1; ld.shared.b32 %r2, [%rd5];", Race)]
    [InlineData("st.shared.b32 [%rd4], %r1; bar.warp.sync 4294967295; ld.shared.b32 %r2, [%rd5];", "")]
    [InlineData("st.shared.b32 [%rd4], %r1; ld.shared.b32 %r2, [%rd4];", "")]

    // Read, then written; read by two, then written; all writing one place.
    [InlineData("ld.shared.b32 %r2, [%rd6]; st.shared.b32 [%rd4], %r1;", Race)]
    [InlineData("ld.shared.b32 %r2, [%rd6]; bar.sync 0; st.shared.b32 [%rd4], %r1;", "")]
    [InlineData("ld.shared.b32 %r2, [%rd5]; ld.shared.b32 %r2, [%rd4]; st.shared.b32 [%rd4], %r1;", Race)]
    [InlineData("st.shared.b32 [tile], %r1;", Race)]

    // Asynchronous copies: not there before they are waited for, and then for their own thread alone; the second group is not there when the first
    // is.
    [InlineData("cp.async.ca.shared.global [%rd4], [%rd3], 4; ld.shared.b32 %r2, [%rd4];", "has not brought yet")]
    [InlineData("cp.async.ca.shared.global [%rd4], [%rd3], 4; cp.async.commit_group; ld.shared.b32 %r2, [%rd4];", "has not brought yet")]
    [InlineData("cp.async.ca.shared.global [%rd4], [%rd3], 4; cp.async.commit_group; cp.async.wait_group 0; ld.shared.b32 %r2, [%rd4];", "")]
    [InlineData("cp.async.ca.shared.global [%rd4], [%rd3], 4; cp.async.commit_group; cp.async.wait_group 0; ld.shared.b32 %r2, [%rd5];", Race)]
    [InlineData("cp.async.ca.shared.global [%rd4], [%rd3], 4; cp.async.commit_group; cp.async.wait_group 0; bar.sync 0; ld.shared.b32 %r2, "
        + "[%rd6];", "")]
    [InlineData("cp.async.ca.shared.global [%rd4], [%rd3], 4; bar.sync 0; ld.shared.b32 %r2, [%rd6];", "has not brought yet")]
    [InlineData("cp.async.ca.shared.global [%rd4], [%rd3], 4; cp.async.commit_group; cp.async.ca.shared.global [%rd4+512], [%rd3], 4; "
        + "cp.async.commit_group; cp.async.wait_group 1; ld.shared.b32 %r2, [%rd4];", "")]
    [InlineData("cp.async.ca.shared.global [%rd4], [%rd3], 4; cp.async.commit_group; cp.async.ca.shared.global [%rd4+512], [%rd3], 4; "
        + "cp.async.commit_group; cp.async.wait_group 1; ld.shared.b32 %r2, [%rd4+512];", "has not brought yet")]
    [InlineData("cp.async.ca.shared.global [%rd4], [%rd3], 4; st.shared.b32 [%rd4], %r1;", "is on its way to")]

    // Device memory: within views, whole vectors at their multiples, no two groups at one place.
    [InlineData("st.global.b32 [%rd2+1024], %r1;", "outside of every view: 4 bytes at 1024 of the nearest, which has 1024")]
    [InlineData("ld.global.b32 %r2, [%rd2+-4];", "outside of every view")]
    [InlineData("ld.global.v2.b32 {%r2, %r3}, [%rd2+4];", "is no multiple of 8")]
    [InlineData("ld.shared.b32 %r2, [%rd4+4096];", "of 1024 bytes of shared memory")]
    [InlineData("st.global.b32 [%rd3], %r1;", Race)]
    [InlineData("red.global.or.b32 [%rd2], 1;", "")]
    [InlineData("red.global.or.b32 [%rd2], 1; ld.global.b32 %r2, [%rd2];", Race)]
    [InlineData("ld.global.b32 %r2, [%rd2]; red.global.or.b32 [%rd2], 1;", Race)]
    [InlineData("red.global.or.b32 [%rd2+1024], 1;", "outside of every view")]
    [InlineData("mov.b32 %r2, %ctaid.x; shl.b32 %r2, %r2, 8; mul.wide.u32 %rd7, %r2, 1; add.u64 %rd7, %rd7, %rd3; st.global.b32 [%rd7], %r1;", "")]

    // Threads that disagree.
    [InlineData("setp.lt.s32 %p1, %r1, 7; @%p1 bra L_1; bar.sync 0; L_1: mov.b32 %r2, 1;", "not all threads of the warp come to this barrier")]
    [InlineData("setp.lt.s32 %p1, %r1, 32; @%p1 bra L_1; bar.sync 0; L_1: mov.b32 %r2, 1;", "waits at a barrier")]
    [InlineData("setp.lt.s32 %p1, %r1, 7; @%p1 bra.uni L_1; mov.b32 %r2, 2; L_1: mov.b32 %r2, 1;", "marked as uniform")]
    [InlineData("setp.lt.s32 %p1, %r1, 32; @%p1 bra.uni L_1; mov.b32 %r2, 2; L_1: mov.b32 %r2, 1;", "")]
    [InlineData("setp.lt.s32 %p1, %r1, 7; @%p1 bra L_1; shfl.sync.bfly.b32 %r2, %r1, 1, 31, 4294967295; L_1: mov.b32 %r2, 1;", "a lane is missing")]
    public void FindsWhatIsUndefined(string body, string error)
    {
        if (error.Length == 0)
        {
            Run(body, groups: 2);
        }
        else
        {
            Assert.Contains(error, Assert.Throws<PtxRunException>(() => Run(body, groups: 2)).Message);
        }
    }

    // r2 and f2 are what thread 5 leaves.
    [Theory]
    [InlineData("mov.b32 %r2, 4294967295; shr.s32 %r2, %r2, 40;", 0xFFFFFFFF)]
    [InlineData("mov.b32 %r2, 4294967295; shr.u32 %r2, %r2, 40;", 0)]
    [InlineData("mov.b32 %r2, 4294967295; mul.wide.u32 %rd7, %r2, 4; shr.u64 %rd7, %rd7, 32; cvt.u32.u64 %r2, %rd7;", 3)]
    [InlineData("mov.b32 %r2, -7; div.s32 %r2, %r2, 2;", 0xFFFFFFFD)]
    [InlineData("mov.b32 %r2, -7; rem.s32 %r2, %r2, 2;", 0xFFFFFFFF)]
    [InlineData("mov.b32 %r2, -1; setp.lt.s32 %p1, %r2, 0; selp.b32 %r2, 1, 2, %p1;", 1)]
    [InlineData("mov.b32 %r2, -1; setp.hs.u32 %p1, %r2, 9; selp.b32 %r2, 1, 2, %p1;", 1)]
    [InlineData("mov.f32 %f1, 0f7FC00000; setp.leu.f32 %p1, %f1, 0f00000000; selp.b32 %r2, 1, 2, %p1;", 1)]
    [InlineData("mov.f32 %f1, 0f7FC00000; setp.gt.f32 %p1, %f1, 0f00000000; selp.b32 %r2, 1, 2, %p1;", 2)]
    [InlineData("mov.f32 %f1, 0f7FC00000; max.f32 %f2, %f1, 0f3F800000; mov.b32 %r2, %f2;", 0x3F800000)]
    [InlineData("mov.f32 %f1, 0f3F800000; mov.f32 %f2, 0f40000000; cvt.rn.bf16x2.f32 %r2, %f1, %f2;", 0x3F804000)]
    [InlineData("mov.f32 %f1, 0f3F808000; mov.f32 %f2, 0f3F818000; cvt.rn.bf16x2.f32 %r2, %f1, %f2;", 0x3F803F82)]
    [InlineData("mov.f32 %f1, 0f3F800000; mov.f32 %f2, 0fC0000000; cvt.rn.f16x2.f32 %r2, %f1, %f2;", 0x3C00C000)]
    [InlineData("mov.f32 %f1, 0f3F801000; mov.f32 %f2, 0f3F803000; cvt.rn.f16x2.f32 %r2, %f1, %f2;", 0x3C003C02)]
    [InlineData("mov.f32 %f1, 0f477FEFFF; mov.f32 %f2, 0f477FF000; cvt.rn.f16x2.f32 %r2, %f1, %f2;", 0x7BFF7C00)]
    [InlineData("mov.f32 %f1, 0f33000000; mov.f32 %f2, 0f33000001; cvt.rn.f16x2.f32 %r2, %f1, %f2;", 0x00000001)]
    [InlineData("mov.f32 %f1, 0f387FFFFF; mov.f32 %f2, 0f7FC00000; cvt.rn.f16x2.f32 %r2, %f1, %f2;", 0x04007FFF)]
    [InlineData("mov.b32 %r3, 2147516417; cvt.u16.u32 %rs1, %r3; cvt.f32.f16 %f1, %rs1; mov.b32 %r2, %f1;", 0xB3800000)]
    [InlineData("mov.b32 %r3, 31744; cvt.u16.u32 %rs1, %r3; cvt.f32.f16 %f1, %rs1; mov.b32 %r2, %f1;", 0x7F800000)]
    [InlineData("red.global.or.b32 [%rd2+64], 2; red.global.or.b32 [%rd2+64], 5; bar.sync 0; mov.b32 %r2, 7;", 7)]
    [InlineData("mov.f32 %f1, 0f3F801000; cvt.rna.tf32.f32 %r2, %f1;", 0x3F802000)]
    [InlineData("mov.f32 %f1, 0f4F800000; cvt.rzi.s32.f32 %r2, %f1;", 0x7FFFFFFF)]
    [InlineData("mov.f32 %f1, 0fC0200000; cvt.rzi.s32.f32 %r2, %f1;", 0xFFFFFFFE)]
    [InlineData("shfl.sync.bfly.b32 %r2, %r1, 2, 31, 4294967295;", 7)]
    [InlineData("mov.b32 %r3, 9; shfl.sync.idx.b32 %r2, %r1, %r3, 31, 4294967295;", 9)]

    // Both sides of a branch, and loops of different lengths, meet again.
    [InlineData("mov.b32 %r2, 1; setp.lt.s32 %p1, %r1, 5; @%p1 bra L_1; add.s32 %r2, %r2, 10; bra.uni L_2; L_1: add.s32 %r2, %r2, 20; L_2: "
        + "shfl.sync.bfly.b32 %r3, %r2, 1, 31, 4294967295; add.s32 %r2, %r2, %r3;", 32)]
    [InlineData("mov.b32 %r2, 0; L_1: setp.ge.s32 %p1, %r2, %r1; @%p1 bra L_2; add.s32 %r2, %r2, 1; bra.uni L_1; L_2: shfl.sync.bfly.b32 %r3, %r2, "
        + "1, 31, 4294967295; add.s32 %r2, %r2, %r3;", 9)]

    // Elements of 16 bits, both of a word holding its number; row i has the words 4 i to 4 i + 3. Lane 5 gets row 1, elements 2 and 3, of the first
    // matrix; of the second one, transposed, element 1 of its rows 2 and 3, which are rows 10 and 11.
    [InlineData("shl.b32 %r3, %r1, 16; or.b32 %r3, %r3, %r1; st.shared.b32 [%rd4], %r3; bar.sync 0; shl.b32 %r3, %r1, 4; and.b32 %r3, %r3, 511; mul.wide.u32 %rd7, %r3, 1; mov.b64 %rd1, tile; add.u64 %rd7, %rd7, %rd1; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r2, %r3, %r4, %r5}, [%rd7];", 0x00050005, 128)]
    [InlineData("shl.b32 %r3, %r1, 16; or.b32 %r3, %r3, %r1; st.shared.b32 [%rd4], %r3; bar.sync 0; shl.b32 %r3, %r1, 4; and.b32 %r3, %r3, 511; mul.wide.u32 %rd7, %r3, 1; mov.b64 %rd1, tile; add.u64 %rd7, %rd7, %rd1; ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%r2, %r3, %r4, %r5}, [%rd7]; add.s32 %r2, %r3, 0;", 0x002C0028, 128)]
    public void ComputesWhatIsDefined(string body, uint expected, int threads = 64)
    {
        uint[] results = Run(body + " st.global.b32 [%rd3], %r2;", groups: 1, threads);
        Assert.Equal(expected, results[5]);
    }

    private static unsafe uint[] Run(string body, int groups, int threads = 64)
    {
        string text =
            $$"""
            .version 8.0
            .target sm_80
            .address_size 64
            .visible .entry Kernel(
                .param .align 8 .b8 _args[16]
            )
            .maxntid {{threads}}, 1, 1
            {
                .shared .align 16 .b8 tile[1024];
                .reg .pred %p<3>;
                .reg .b16 %rs<2>;
                .reg .b32 %r<6>;
                .reg .f32 %f<3>;
                .reg .b64 %rd<8>;
                ld.param.b64 %rd1, [_args];
                cvta.to.global.u64 %rd2, %rd1;
                mov.b32 %r1, %tid.x;
                mul.wide.u32 %rd7, %r1, 4;
                add.u64 %rd3, %rd2, %rd7;
                mov.b64 %rd1, tile;
                add.u64 %rd4, %rd1, %rd7;
                xor.b32 %r2, %r1, 1;
                mul.wide.u32 %rd7, %r2, 4;
                add.u64 %rd5, %rd1, %rd7;
                xor.b32 %r2, %r1, 32;
                mul.wide.u32 %rd7, %r2, 4;
                add.u64 %rd6, %rd1, %rd7;
                {{body.Replace("; ", ";\n", StringComparison.Ordinal)}}
                ret;
            }
            """;
        var memory = (uint*)NativeMemory.AlignedAlloc(Values * sizeof(uint), 64);
        try
        {
            new Span<uint>(memory, Values).Clear();
            byte[] arguments = [.. BitConverter.GetBytes((long)memory), .. BitConverter.GetBytes((long)Values)];
            PtxMachine.Run(
                new PtxProgram(PtxModule.Parse(text).Kernel),
                arguments,
                new PtxGlobalMemory([((long)memory, (long)(memory + Values))]),
                (groups, 1, 1),
                threads);
            return new Span<uint>(memory, Values).ToArray();
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }
}
