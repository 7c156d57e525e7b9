using Ldvc.Kernels.Gpu;
using Ldvc.Ptx;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>The launches that `bench ptx` lists.</summary>
public class PtxLaunchTests
{
    [Fact]
    public void EveryKernelHasLaunches()
    {
        var launches = PtxLaunches.Record();
        Assert.Equal(
            GpuKernelCatalog.All.Where(kernel => kernel.OpenClOnly).Select(kernel => kernel.Name),
            GpuKernelCatalog.All.Where(kernel => !launches.Contains(kernel.Name)).Select(kernel => kernel.Name));

        // A product of the encoder's multilayer perceptron: 1025 tokens and 10 prompts, 768 -> 3072, in tiles of 128.
        var wide = launches["matmul.128.nt.v4"].Single(
            launch => launch.By == "training step, fp32" && launch.Arguments["M"] is 1035 && launch.Arguments["N"] is 3072);
        Assert.Equal([24, 9, 1], wide.Grid);
        Assert.Equal(768, wide.Arguments["K"]);
        Assert.StartsWith("float[", Assert.IsType<string>(wide.Arguments["A"]), StringComparison.Ordinal);
        Assert.All(launches["attention.bf16_forward"], launch => Assert.EndsWith("bf16", launch.By, StringComparison.Ordinal));
        Assert.All(launches["attention.fp16_forward"], launch => Assert.EndsWith("fp16", launch.By, StringComparison.Ordinal));
    }
}
