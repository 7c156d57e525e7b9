using Ldvc.Bench.Compare;
using Ldvc.Bench.Compare.Ours;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Bench;

/// <summary>Engines in turn, by scripts that speak the protocol: one that ends takes none of the others' numbers with it.</summary>
public sealed class PeerRunTests : IDisposable
{
    private const string Ready = "cp \"$FROM\" \"$3/out.$1.safetensors\"; echo '{\"ready\":true,\"seconds\":0.2}'\n";
    private const string Runs = "read line; echo '{\"times\":[0.2]}'\nread line; echo '{\"times\":[0.2]}'\n";
    private const string Whole = Ready + Runs + "read line; echo '{\"peak\":3,\"added\":1}'\n";

    private readonly TempFolder _folder = new();

    public PeerRunTests()
    {
        var writer = new SafetensorsWriter();
        writer.AddFloat32("y", [2], new float[] { 1, 2 });
        writer.Save(_folder.File("y.safetensors"));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ThoseThatAreThereAreTimed() => Assert.Equal(["ldvc 3", "onnxruntime 3"], Run(Whole, Whole));

    [Theory]
    [InlineData("")]
    [InlineData("echo 'Killed'\nexit 137\n")]
    [InlineData(Ready)]
    [InlineData(Ready + Runs)]
    public void OneThatEndsEarlyIsMissing(string rival) =>
        Assert.Equal(["ldvc 3", "onnxruntime failed: its process ended early, see its messages above"], Run(Whole, rival));

    [Theory]
    [InlineData("exit 3\n")]
    [InlineData(Ready)]
    public void WithoutOursThereIsNothingToCompareWith(string ours) =>
        Assert.Equal(["ldvc failed: its process ended early, see its messages above"], Run(ours, Whole));

    // Twice as what counts, whatever came before: a step is a graph from its fourth run on here.
    [Fact]
    public void WhatSettlesLateIsWarmedUpUntilThen()
    {
        int runs = 0;
        double seconds = WarmUp.Run(() => ++runs < 5 ? 1.5 : 0.5, () => runs >= 3);
        Assert.True(runs >= 5);
        Assert.Equal(0.5, seconds);
        runs = 0;
        WarmUp.Run(() => ++runs, () => false);
        Assert.Equal(50, runs);
    }

    private string[] Run(string ours, string rival)
    {
        string[] names = [PeerCases.Ours, PeerCases.Onnx];
        var @case = new PeerCase("a case", "gemm", new Dictionary<string, int>(), 0, names, 1e-5);
        PeerEngine[] engines = [.. names.Zip([ours, rival], (name, script) => Engine(name, script))];
        var run = new CaseRun(@case, engines, new PeerOptions([], 2, new WorkDevice("cpu", 1, Precision.Fp32), null, null, []));
        var results = run.Run(_folder.Root);
        Assert.Empty(run.Goals(results));
        return [.. results.OrderBy(r => r.Engine).Select(r => r.Missing is null
            ? $"{r.Engine} {r.PeakMebibytes}" : $"{r.Engine} {(r.Failed ? "failed" : "missing")}: {r.Missing}")];
    }

    private PeerEngine Engine(string name, string script)
    {
        string file = _folder.File(name + ".sh");
        File.WriteAllText(file, script);
        return new PeerEngine(name, "a script", null, new Dictionary<string, string> { ["FROM"] = _folder.File("y.safetensors") })
        {
            File = "/bin/sh",
            First = [file],
        };
    }
}
