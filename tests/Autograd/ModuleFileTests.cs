using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Autograd.Optimizers;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Autograd;

/// <summary>Modules and optimizers write and read themselves.</summary>
public sealed class ModuleFileTests : IDisposable
{
    private readonly CpuDevice _device = new(1);
    private readonly TempFolder _folder = new();

    [Fact]
    public void AModuleReadsWhatAnotherWrote()
    {
        string file = _folder.File("a.safetensors");
        using Net written = new(_device, 1), read = new(_device, 2);
        written.Save(file, new Dictionary<string, string> { ["width"] = "4" });
        var report = read.Load(file);
        Assert.Empty(report.Missing);
        Assert.Empty(report.Unexpected);
        foreach (var (a, b) in written.Parameters().Zip(read.Parameters()))
        {
            Assert.Equal(a.Parameter.Value.ToArray(), b.Parameter.Value.ToArray());
        }

        using var archive = TensorArchive.Open(file);
        Assert.Equal(["blocks.0.bias", "blocks.0.weight", "table.weight"], archive.Entries.Keys.Order());
        Assert.Equal("4", archive.Metadata["width"]);
    }

    [Fact]
    public void WhatDoesNotFitIsListedAndChangesNothing()
    {
        string file = _folder.File("bad.safetensors");
        var writer = new SafetensorsWriter();
        writer.AddFloat32("blocks.0.weight", [4, 32], new float[128]);
        writer.AddFloat32("extra", [1], new float[1]);
        writer.AddInt32("table.weight", [5, 4], new int[20]);
        writer.Save(file);
        using var net = new Net(_device, 1);
        float[][] before = Values(net);
        Assert.Equal(
            $"{file}: the tensors do not fit the module Net: missing blocks.0.bias; unexpected extra; "
            + "misshapen table.weight (expected floats [5, 4], got Int32 [5, 4]), blocks.0.weight (expected floats [32, 4], got Float32 [4, 32])",
            Assert.Throws<InputException>(() => net.Load(file)).Message);
        Assert.DoesNotContain("missing", Assert.Throws<InputException>(() => net.Load(file, strict: false)).Message, StringComparison.Ordinal);
        Assert.Equal(before, Values(net));
    }

    [Fact]
    public void WithoutStrictnessThePartsThatFitAreRead()
    {
        string file = _folder.File("part.safetensors");
        var writer = new SafetensorsWriter();
        writer.AddFloat32("blocks.0.bias", [32], Enumerable.Repeat(0.5f, 32).ToArray(), DType.Float16);
        writer.AddFloat32("extra", [1], new float[1]);
        writer.Save(file);
        using var net = new Net(_device, 1);
        var report = net.Load(file, strict: false);
        Assert.Equal(["table.weight", "blocks.0.weight"], report.Missing);
        Assert.Equal(["extra"], report.Unexpected);
        Assert.All(net.Block.Bias!.Value.ToArray(), v => Assert.Equal(0.5f, v));
    }

    [Fact]
    public void FrozenWeightsInPanelsAreWrittenAndReadInRows()
    {
        string file = _folder.File("panels.safetensors");
        using Net packed = new(_device, 1), other = new(_device, 2);
        float[] weight = packed.Block.Weight.Value.ToArray();
        packed.SetTrainable(false);
        using (var tape = new Tape(_device, recording: false))
        {
            packed.Block.Forward(tape, tape.Constant(_device.Zeros(new Shape(2, 4))));
        }

        Assert.True(packed.Block.Weight.Value.InPanels);
        packed.Save(file);
        other.Load(file);
        Assert.Equal(weight, other.Block.Weight.Value.ToArray());
        other.Block.Weight.Value.CopyFromHost<float>(Enumerable.Range(0, 128).Select(i => (float)i).ToArray());
        other.Save(file);
        packed.Load(file);
        Assert.True(packed.Block.Weight.Value.InPanels);
        Assert.Equal(Enumerable.Range(0, 128).Select(i => (float)i), packed.Block.Weight.Value.ToArray());
    }

    [Fact]
    public void EmbeddingLooksRowsUpAndAddsTheirGradients()
    {
        using var net = new Net(_device, 1);
        using var tape = new Tape(_device, recording: true);
        float[] rows = net.Table.Weight.Value.ToArray();
        var y = net.Table.Forward(tape, [4, 0, 4, 4], 2, 2);
        Assert.Equal(new Shape(2, 2, 4), y.Shape);
        Assert.Equal([.. rows[16..], .. rows[..4], .. rows[16..], .. rows[16..]], y.Value.ToArray());
        tape.Backward(y);
        Assert.Equal([.. Enumerable.Repeat(1f, 4), .. new float[12], .. Enumerable.Repeat(3f, 4)], net.Table.Weight.Gradient!.ToArray());
        Assert.Equal(new Shape(1, 4), net.Table.Forward(tape, [2]).Shape);
        Assert.ThrowsAny<ArgumentException>(() => net.Table.Forward(tape, [5]));
    }

    [Fact]
    public void AnOptimizerContinuesFromItsFile()
    {
        string weights = _folder.File("w.safetensors"), state = _folder.File("s.safetensors");
        using Net a = new(_device, 1), b = new(_device, 2);
        using AdamW first = new(a.Parameters()), second = new(b.Parameters());
        Step(a, first);
        Step(a, first);
        a.Save(weights);
        first.Save(state);
        b.Load(weights);
        second.Load(state);
        Assert.Equal(2, second.Steps);
        Step(a, first);
        Step(b, second);
        Assert.Equal(Values(a), Values(b));
        Assert.Contains("unexpected", Assert.Throws<InputException>(() => new AdamW([("other", a.Table.Weight)]).Load(state)).Message);
        Assert.Contains("'steps' is missing", Assert.Throws<InputException>(() => second.Load(weights)).Message);
    }

    [Fact]
    public void DefaultsArePyTorchs()
    {
        using Parameter a = new(_device.FromHost([1f, -2], new Shape(2))), b = new(_device.FromHost([1f, -2], new Shape(2)));
        using AdamW defaults = new([("a", a)]), spelled = new([("b", b)], 0.9f, 0.999f, 1e-8f, _ => 0.01f);
        foreach (var (parameter, optimizer) in new[] { (a, defaults), (b, spelled) })
        {
            using var gradient = _device.FromHost([0.5f, 3], new Shape(2));
            parameter.AddGradient(gradient);
            optimizer.Step(0.1f);
        }

        Assert.Equal(b.Value.ToArray(), a.Value.ToArray());
        Assert.Contains("got 1, ", Assert.Throws<ArgumentOutOfRangeException>(() => new AdamW([("a", a)], beta1: 1)).Message);
    }

    [Fact]
    public void GradientsAreClippedTogether()
    {
        using Parameter a = new(_device.Zeros(new Shape(2))), b = new(_device.Zeros(new Shape(1)));
        using var optimizer = new AdamW([("a", a), ("b", b)]);
        using var shared = _device.FromHost([3f, 0], new Shape(2));
        using var other = _device.FromHost([-4f], new Shape(1));
        a.AddGradient(shared);
        b.AddGradient(other);
        Assert.Equal(5, optimizer.ClipGradientNorm(10), 1e-6);
        Assert.Equal([3f, 0], a.Gradient!.ToArray());
        Assert.Equal(5, optimizer.ClipGradientNorm(1), 1e-6);
        Assert.Equal(0.6f, a.Gradient.ToArray()[0], 1e-5f);
        Assert.Equal(-0.8f, b.Gradient!.ToArray()[0], 1e-5f);
        Assert.Equal([3f, 0], shared.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.ClipGradientNorm(double.NaN));
    }

    public void Dispose()
    {
        _folder.Dispose();
        _device.Dispose();
    }

    private static float[][] Values(Net net) => [.. net.Parameters().Select(p => p.Parameter.Value.ToArray())];

    private void Step(Net net, AdamW optimizer)
    {
        using var tape = new Tape(_device, recording: true);
        tape.Backward(tape.CrossEntropy(net.Block.Forward(tape, net.Table.Forward(tape, [1, 2, 3])), [0, 31, 5]));
        optimizer.Step(0.01f);
    }

    [Fact]
    public void OneParameterUnderTwoNamesHasOneValue()
    {
        string file = _folder.File("tied.safetensors");
        using var tied = new Tied(_device);
        tied.Save(file);
        tied.Load(file);
        Assert.Equal([1f, 2f], tied.Weight.Value.ToArray());
        var writer = new SafetensorsWriter();
        writer.AddFloat32("in.weight", [2], new float[] { 3, 4 });
        writer.AddFloat32("out.weight", [2], new float[] { 3, 5 });
        writer.Save(file);
        Assert.Equal(
            $"{file}: the tensors 'in.weight' and 'out.weight' differ, expected equal ones: they are one parameter under two names",
            Assert.Throws<InputException>(() => tied.Load(file)).Message);
        Assert.Equal([1f, 2f], tied.Weight.Value.ToArray());
    }

    private sealed class Tied : Module
    {
        internal Tied(Device device)
        {
            Weight = Add("in.weight", new Parameter(device.FromHost([1f, 2f], new Shape(2))));
            Add("out.weight", Weight);
        }

        internal Parameter Weight { get; }
    }

    private sealed class Net : Module
    {
        internal Net(Device device, ulong seed)
        {
            var init = new Initializer(device, seed);
            Table = Add("table", new Embedding(init, 5, 4));
            Block = Add("blocks.0", new Linear(init, 4, 32));
        }

        internal Embedding Table { get; }

        internal Linear Block { get; }
    }
}
