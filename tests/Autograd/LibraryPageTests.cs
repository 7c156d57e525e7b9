using System.Globalization;
using Ldvc.Autograd;
using Ldvc.Cases;
using Ldvc.Tensors;
using Ldvc.Tests.Gpu;
using Xunit;

namespace Ldvc.Tests.Autograd;

/// <summary>What docs/library.md shows compiles and does what the page says.</summary>
[Collection("opencl")]
public class LibraryPageTests(OpenClFixture fixture)
{
    [Theory]
    [InlineData("DeviceFactory.Open", "FirstModel.cs")]
    [InlineData("class ScaleRows", "ScaleRows.cs")]
    public void ThePageAndTheCompiledFileAgree(string mark, string file)
    {
        string Read(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "page", name));
        var blocks = Read("library.md").Split("```csharp\n").Skip(1).Select(part => part.Split("```")[0]);
        string block = blocks.First(part => part.Contains(mark, StringComparison.Ordinal));
        string[] compiled = [.. Read(file).Split('\n').Select(line => line.Trim())];
        foreach (string line in block.Split('\n'))
        {
            Assert.Contains(line.Trim().Replace("public sealed class", "internal sealed class", StringComparison.Ordinal), compiled);
        }
    }

    [Fact]
    public void TheFirstModelLearns()
    {
        var console = Console.Out;
        using var printed = new StringWriter();
        Console.SetOut(printed);
        try
        {
            FirstModel.Run();
        }
        finally
        {
            Console.SetOut(console);
        }

        string[] lines = printed.ToString().Trim().Split('\n');
        Assert.Equal("Float32 [4, 1] on cpu", lines[0].Trim());
        float[] values = [.. lines[1..].Select(line => float.Parse(line.Trim(' ', '[', ']', ',', '\r'), CultureInfo.InvariantCulture))];
        Assert.All(values.Zip([0f, 1, 1, 0]), p => Assert.Equal(p.Second, p.First, 0.1f));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TheOperationHasTheRightGradients(bool gpu)
    {
        using var cpu = new CpuDevice(2);
        Device device = gpu ? fixture.Twin.Device : cpu;
        using Tensor x = device.FromHost(CaseRandom.Normal("x", 15), new Shape(5, 3)), s = device.FromHost(CaseRandom.Normal("s", 5), new Shape(5));
        var report = new GradientChecker(device).Check((tape, v) => tape.Apply(new ScaleRows(), v[0], v[1]), ("x", x), ("s", s));
        Assert.True(report.Passed, report.ToString());
        using var tape = new Tape(device, recording: false);
        float[] expected = [.. x.ToArray().Select((v, i) => v * s.ToArray()[i / 3])];
        Assert.Equal(expected, tape.Apply(new ScaleRows(), tape.Constant(x.Share()), tape.Constant(s.Share())).Value.ToArray());
    }
}
