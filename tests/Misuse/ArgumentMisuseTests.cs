using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Misuse;

/// <summary>Public calls of the tensors' package with arguments that are missing or make no sense: each is an error that says which one.</summary>
public sealed class ArgumentMisuseTests : IDisposable
{
    private static readonly Dictionary<string, Action<Device>> s_null = new()
    {
        ["name"] = _ => DeviceFactory.Open(null!),
        ["name "] = _ => DeviceFactory.TryParse(null!, out string _, out int _),
        ["device"] = _ => new InputStage(null!),
        ["path"] = _ => TensorArchive.Open(null!),
        ["write"] = _ => AtomicFile.Write("unwritten", null!),
        ["text"] = _ => AtomicFile.WriteText("unwritten", null!),
        ["fill"] = _ => new SafetensorsWriter().AddFloat32("a", [1], (TensorFill<float>)null!),
        ["shape"] = _ => new SafetensorsWriter().AddFloat32("a", null!, new float[1]),
        ["name  "] = _ => new SafetensorsWriter().AddInt32(null!, [1], new int[1]),
    };

    private readonly CpuDevice _device = new(1);

    public static TheoryData<string> Missing => [.. s_null.Keys];

    [Theory]
    [MemberData(nameof(Missing))]
    public void WhatIsMissingIsNamed(string argument) =>
        Assert.Equal(argument.Trim(), Assert.Throws<ArgumentNullException>(() => s_null[argument](_device)).ParamName);

    [Fact]
    public void APrecisionIsOneOfThem()
    {
        var refused = Assert.Throws<ArgumentOutOfRangeException>(() => _device.Precision = (Precision)99);
        Assert.Contains("precision 99: expected one of Fp32, Tf32, Bf16, Fp16", refused.Message, StringComparison.Ordinal);
        Assert.Equal(Precision.Fp32, _device.Precision);
    }

    [Theory]
    [InlineData(5, 5)]
    [InlineData(5, 3)]
    [InlineData(int.MaxValue, int.MinValue)]
    [InlineData(int.MinValue, int.MaxValue)]
    [InlineData(int.MinValue, 0)]
    public void ARandomIntegerNeedsARange(int low, int high)
    {
        var random = new CounterRandom(1);
        string said = Assert.Throws<ArgumentOutOfRangeException>(() => random.NextInt(low, high)).Message;
        Assert.Contains($"got {low} to {high}", said, StringComparison.Ordinal);
        Assert.InRange(random.NextInt(int.MinValue, -1), int.MinValue, -2);
    }

    // The writer of JSON puts U+FFFD in the place of each: the file would hold other names, of which two may be equal.
    [Fact]
    public void ANameIsUnicode()
    {
        var writer = new SafetensorsWriter();
        foreach (string name in new[] { "\ud800", "a\udc00", "\ud83d\ud83d\ude00" })
        {
            string said = Assert.Throws<ArgumentException>(() => writer.AddFloat32(name, [1], new float[1])).Message;
            Assert.Contains("half of a surrogate pair (U+D", said, StringComparison.Ordinal);
            Assert.Throws<ArgumentException>(() => writer.SetMetadata(name, "value"));
        }

        using var folder = new TempFolder();
        writer.AddFloat32("\ud83d\ude00", [1], new float[1]);
        writer.Save(folder.File("a.safetensors"));
        using var file = TensorArchive.Open(folder.File("a.safetensors"));
        Assert.Equal(["\ud83d\ude00"], file.Entries.Keys);
    }

    [Fact]
    public void AnEmptyPathIsShown() =>
        Assert.Equal("'': no such file.", Assert.Throws<InputException>(() => TensorArchive.Open("")).Message);

    public void Dispose() => _device.Dispose();
}
