using Ldvc.Ptx;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>Promises of agreement between threads: kept ones are let pass, broken ones are found.</summary>
public class PtxUniformityTests
{
    private const string Disagree = "threads of a warp may disagree on";
    private const string Group = "not all threads of a group may come here";
    private const string Warp = "not all threads of a warp may come here";

    [Theory]

    // Values: from the group, the warp, the thread; through arithmetic, loads, shuffles and guarded writes.
    [InlineData("mov.b32 %r1, %ctaid.x; setp.lt.s32 %p1, %r1, 7; @%p1 bra.uni L_1; L_1: ret;", "")]
    [InlineData("mov.b32 %r1, %tid.x; setp.lt.s32 %p1, %r1, 7; @%p1 bra.uni L_1; L_1: ret;", Disagree)]
    [InlineData("mov.b32 %r1, %tid.x; setp.lt.s32 %p1, %r1, 7; @%p1 bra L_1; L_1: ret;", "")]
    [InlineData("mov.b32 %r1, %laneid; add.s32 %r2, %r1, 4; setp.lt.s32 %p1, %r2, 7; @!%p1 bra.uni L_1; L_1: ret;", Disagree)]
    [InlineData("mov.b32 %r1, %tid.x; mov.b32 %r2, %r1; shr.s32 %r3, %r2, 5; setp.lt.s32 %p1, %r3, 2; @%p1 bra.uni L_1; L_1: ret;", "")]
    [InlineData("mov.b32 %r1, %tid.x; div.s32 %r3, %r1, 64; setp.lt.s32 %p1, %r3, 2; @%p1 bra.uni L_1; L_1: ret;", "")]
    [InlineData("mov.b32 %r1, %tid.x; shr.s32 %r3, %r1, 4; setp.lt.s32 %p1, %r3, 2; @%p1 bra.uni L_1; L_1: ret;", Disagree)]
    [InlineData("mov.b32 %r1, %tid.x; add.s32 %r2, %r1, 8; shr.s32 %r3, %r2, 5; setp.lt.s32 %p1, %r3, 2; @%p1 bra.uni L_1; L_1: ret;", Disagree)]
    [InlineData("ld.global.b32 %r1, [%rd2]; setp.lt.s32 %p1, %r1, 7; @%p1 bra.uni L_1; L_1: ret;", "")]
    [InlineData("mov.b32 %r1, %tid.x; mul.wide.u32 %rd3, %r1, 4; add.u64 %rd4, %rd2, %rd3; ld.global.b32 %r2, [%rd4]; setp.lt.s32 %p1, %r2, 7; @%p1 "
        + "bra.uni L_1; L_1: ret;", Disagree)]
    [InlineData("mov.b32 %r1, 5; shfl.sync.bfly.b32 %r2, %r1, 1, 31, 4294967295; setp.lt.s32 %p1, %r2, 7; @%p1 bra.uni L_1; L_1: ret;", Disagree)]
    [InlineData("mov.b32 %r1, %tid.x; mov.b32 %r2, 0; setp.lt.s32 %p1, %r1, 7; @%p1 mov.b32 %r2, 1; setp.lt.s32 %p2, %r2, 1; @%p2 bra.uni L_1; L_1: "
        + "ret;", Disagree)]

    // A constant that some threads replace is none any more: best = score > best ? plane : best.
    [InlineData("mov.b32 %r1, %tid.x; mov.b32 %r2, 0; setp.lt.s32 %p1, %r1, 7; @%p1 bra L_1; mov.b32 %r2, 1; L_1: setp.lt.s32 %p2, %r2, 1; @%p2 "
        + "bra.uni L_2; L_2: ret;", Disagree)]
    [InlineData("mov.b32 %r1, %ctaid.x; mov.b32 %r2, 0; setp.lt.s32 %p1, %r1, 7; @%p1 bra L_1; mov.b32 %r2, 1; L_1: setp.lt.s32 %p2, %r2, 1; @%p2 "
        + "bra.uni L_2; L_2: ret;", "")]

    // On one side of a branch that threads disagree on, all who are there agree.
    [InlineData("mov.b32 %r1, %tid.x; setp.lt.s32 %p1, %r1, 7; @%p1 bra L_1; mov.b32 %r2, 1; setp.lt.s32 %p2, %r2, 1; @%p2 bra.uni L_1; L_1: "
        + "ret;", "")]

    // A loop that threads leave after different numbers of rounds: the counter differs behind it, what every round computes alike does not.
    [InlineData("mov.b32 %r1, %tid.x; mov.b32 %r2, 0; L_1: setp.ge.s32 %p1, %r2, %r1; @%p1 bra L_2; add.s32 %r2, %r2, 1; bra.uni L_1; L_2: "
        + "setp.lt.s32 %p2, %r2, 9; @%p2 bra.uni L_3; L_3: ret;", Disagree)]
    [InlineData("mov.b32 %r1, %tid.x; L_1: mov.b32 %r4, %ctaid.x; add.s32 %r3, %r4, 2; setp.ge.s32 %p1, %r1, 99; @%p1 bra L_2; add.s32 %r1, %r1, 1; "
        + "bra.uni L_1; L_2: setp.lt.s32 %p2, %r3, 9; @%p2 bra.uni L_3; L_3: ret;", "")]
    [InlineData("mov.b32 %r2, 0; L_1: setp.ge.s32 %p1, %r2, 9; @%p1 bra.uni L_2; bar.sync 0; add.s32 %r2, %r2, 1; bra.uni L_1; L_2: ret;", "")]
    [InlineData("mov.b32 %r2, %tid.x; L_1: setp.ge.s32 %p1, %r2, 9; @%p1 bra L_2; bar.sync 0; add.s32 %r2, %r2, 1; bra.uni L_1; L_2: ret;", Group)]

    // Barriers are for the group, shuffles and tensor cores for the warp.
    [InlineData("mov.b32 %r1, %tid.x; setp.lt.s32 %p1, %r1, 7; @%p1 bra L_1; mov.b32 %r2, 1; L_1: bar.sync 0; ret;", "")]
    [InlineData("mov.b32 %r1, %tid.x; setp.lt.s32 %p1, %r1, 7; @%p1 bra L_1; bar.sync 0; L_1: ret;", Group)]
    [InlineData("mov.b32 %r1, %tid.x; shr.s32 %r1, %r1, 5; setp.lt.s32 %p1, %r1, 7; @%p1 bra L_1; bar.sync 0; L_1: ret;", Group)]
    [InlineData("mov.b32 %r1, %tid.x; shr.s32 %r3, %r1, 5; setp.lt.s32 %p1, %r3, 7; @%p1 bra L_1; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r2, "
        + "%r3, %r4, %r5}, [tile]; L_1: ret;", "")]
    [InlineData("mov.b32 %r1, %tid.x; setp.lt.s32 %p1, %r1, 7; @%p1 bra L_1; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r2, %r3, %r4, %r5}, [tile]; "
        + "L_1: ret;", Warp)]
    [InlineData("mov.b32 %r1, %tid.x; setp.lt.s32 %p1, %r1, 7; @%p1 bra L_1; shfl.sync.bfly.b32 %r2, %r1, 1, 31, 4294967295; L_1: ret;", Warp)]

    // Some threads have left for good.
    [InlineData("mov.b32 %r1, %tid.x; setp.lt.s32 %p1, %r1, 7; @%p1 bra L_1; bra.uni L_2; L_1: ret; L_2: bar.sync 0; ret;", Group)]
    [InlineData("mov.b32 %r1, %ctaid.x; setp.lt.s32 %p1, %r1, 7; @%p1 bra L_1; bra.uni L_2; L_1: ret; L_2: bar.sync 0; ret;", "")]
    public void FindsBrokenPromises(string body, string finding)
    {
        string text =
            $$"""
            .version 8.0
            .target sm_80
            .address_size 64
            .visible .entry Kernel(
                .param .align 8 .b8 _args[16]
            )
            .maxntid 256, 1, 1
            {
                .shared .align 16 .b8 tile[512];
                .reg .pred %p<3>;
                .reg .b32 %r<6>;
                .reg .b64 %rd<5>;
                ld.param.b64 %rd1, [_args];
                cvta.to.global.u64 %rd2, %rd1;
                {{body.Replace("; ", ";\n", StringComparison.Ordinal)}}
            }
            """;
        var found = PtxVerifier.Check(text, 80);
        if (finding.Length == 0)
        {
            Assert.Empty(found);
        }
        else
        {
            Assert.Contains(finding, Assert.Single(found));
        }
    }
}
