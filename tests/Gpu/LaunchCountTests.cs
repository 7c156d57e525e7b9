using Ldvc.Ptx;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>How many kernels a training step starts: with one picture, a card waits for the host that starts them.</summary>
public class LaunchCountTests(ITestOutputHelper output)
{
    // Multiprocessors of an NVIDIA H200.
    private const int Multiprocessors = 132;

    [Theory]
    [InlineData("Bf16", 1)]
    [InlineData("Bf16", 16)]
    [InlineData("Fp16", 1, 740)]
    public void AStepStartsFewKernels(string precision, int batch, int most = 700)
    {
        var launches = StepLaunches.Record(Enum.Parse<Precision>(precision), batch, 15, Multiprocessors);
        foreach (var (phase, count) in launches.ByPhase)
        {
            output.WriteLine($"{phase}: {count}");
            foreach (var (kernel, times) in launches.ByKernel(phase))
            {
                output.WriteLine($"    {kernel}: {times}");
            }
        }

        output.WriteLine($"all: {launches.All.Count}");
        Assert.Equal(launches.All.Count, launches.Counted);
        Assert.InRange(launches.Counted, 300, most);
    }
}
