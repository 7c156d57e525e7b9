using Ldvc.Kernels.Gpu;
using Ldvc.Ptx;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>The CUDA code of every kernel in the catalog, made without a device and read line by line.</summary>
public class PtxTests
{
    public static TheoryData<string> Names => [.. GpuKernelCatalog.All.Select(kernel => kernel.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void IsLegalAndAsPromised(string name)
    {
        var kernel = GpuKernelCatalog.All.Single(candidate => candidate.Name == name);
        string text = PtxCompiler.Compile(kernel);
        var ptx = PtxModule.Parse(text);
        Assert.Empty(PtxVerifier.Check(ptx, 80));
        Assert.Empty(PtxVerifier.Check(ptx, 90));
        Assert.DoesNotContain(".extern", text);
        Assert.DoesNotContain(".local", text);
        Assert.Equal([kernel.GroupSize, 1, 1], ptx.Kernel.Bounds[".maxntid"]);
        Assert.Equal(kernel.GroupsPerMultiprocessor, ptx.Kernel.Bounds.GetValueOrDefault(".minnctapersm")?[0] ?? 0);
        Assert.Equal(kernel.SharedBytes, ptx.Kernel.SharedBytes);
        Assert.InRange(kernel.SharedBytes + kernel.DynamicSharedBytes, 0, 163 << 10);
    }

    [Theory]
    [InlineData("matmul.bf16_nt.128x128", "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 32)]
    [InlineData("matmul.bf16_nt.128x128", "ldmatrix.sync.aligned.m8n8.x4.shared.b16", 12)]
    [InlineData("matmul.bf16_nt.128x128", "cp.async.cg.shared.global", 12)]
    [InlineData("matmul.bf16_nt.128x128", "st.global.v4.f32", 2)]
    [InlineData("matmul.bf16_tn.128x128", "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16", 12)]
    [InlineData("matmul.bf16_nn.64x64", "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 16)]
    [InlineData("attention.bf16_forward", "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 64)]
    [InlineData("attention.bf16_forward", "ldmatrix.sync.aligned.m8n8.x4.shared.b16", 16)]
    [InlineData("attention.bf16_forward", "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16", 16)]
    [InlineData("attention.bf16_forward", "cp.async.cg.shared.global", 4)]
    [InlineData("attention.bf16_queries", "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 96)]
    [InlineData("attention.bf16_keys", "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 64)]
    [InlineData("route_attention.bf16_forward", "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 32)]
    [InlineData("route_attention.bf16_forward", "cp.async.cg.shared.global", 4)]
    [InlineData("route_attention.bf16_queries", "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 48)]
    [InlineData("route_attention.bf16_keys", "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 64)]
    [InlineData("matmul.fp16_nt.128x128", "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", 32)]
    [InlineData("attention.fp16_keys", "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", 64)]
    [InlineData("gpu.pack_fp16", "cvt.rn.f16x2.f32", 4)]
    [InlineData("gpu.pack_fp16", "red.global.or.b32", 2)]
    [InlineData("gpu.pack_bf16", "red.global.or.b32", 0)]
    [InlineData("gpu.pack_bf16", "ld.global.v4.f32", 2)]
    [InlineData("gpu.pack_bf16", "st.global.v4.b32", 1)]
    public void HasItsInstructions(string name, string opcode, int times)
    {
        var kernel = GpuKernelCatalog.All.Single(candidate => candidate.Name == name);
        var ptx = PtxModule.Parse(PtxCompiler.Compile(kernel));
        Assert.Equal(times, ptx.Kernel.Instructions.Count(instruction => instruction.Opcode == opcode));
    }

    [Fact]
    public void TextDoesNotDependOnWhatWasCompiledBefore()
    {
        var kernel = GpuKernelCatalog.All.Single(candidate => candidate.Name == "gpu.pack_bf16");
        string first = PtxCompiler.Compile(kernel);
        PtxCompiler.Compile(GpuKernelCatalog.All[0]);
        Assert.Equal(first, PtxCompiler.Compile(kernel));
    }
}
