using Ldvc.Ptx;
using Ldvc.Tensors;
using Ldvc.Tests.Configuration;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>How many kernels a training step starts: with one picture, a card waits for the host that starts them.</summary>
public class LaunchCountTests(ITestOutputHelper output)
{
    // Multiprocessors of an NVIDIA H200.
    private const int Multiprocessors = 132;

    [Theory]
    [InlineData("Bf16", 1, "| all | 689 | 4678 | 604.8 | 129 |")]
    [InlineData("Bf16", 16, "| 686 | 48043 | 9520.6 | 198 |")]
    [InlineData("Fp16", 1, "| all in fp16 | 696 | 4694 | 604.8 | 129 |")]
    [InlineData("Fp16", 16, "| 693 | 48296 | 9520.6 | 197 |")]
    public void AStepStartsFewKernels(string precision, int batch, string row)
    {
        var works = new List<LaunchWork>();
        var launches = StepLaunches.Record(
            Enum.Parse<Precision>(precision), batch, 15, Multiprocessors, launch => works.Add(LaunchWork.Of(launch)));
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
        Assert.InRange(launches.Counted, 300, 700);

        // What `bench launches` prints is what docs/kernels.md says.
        string cells = LaunchWork.Row(works);
        output.WriteLine(cells);
        Assert.EndsWith(cells, row, StringComparison.Ordinal);
        Assert.Contains(row, File.ReadAllText(Path.Combine(ConfigFiles.Repository, "docs", "kernels.md")), StringComparison.Ordinal);
    }
}
