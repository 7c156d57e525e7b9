using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Xunit;

namespace Ldvc.Tests.Serialization;

/// <summary>Tensors go to files and come back.</summary>
public class TensorFileTests
{
    [Fact]
    public void TensorsKeepTheirTypeShapeAndValues()
    {
        using var folder = new TempFolder();
        string file = folder.File("t.safetensors");
        using var device = new CpuDevice(1);
        float[] values = [.. Enumerable.Range(0, 140_000).Select(i => MathF.Sin(i))];
        using (Tensor floats = device.FromHost(values, new Shape(2, 70_000)), ints = device.FromHost([1, -2, 3], new Shape(3)))
        using (Tensor bytes = device.FromHost(new byte[] { 7, 255 }, new Shape(2, 1)), empty = device.Zeros(new Shape(0, 4)))
        using (var half = device.FromHostRounded([1.5f], new Shape(1)))
        using (var part = floats.Slice(1, 1))
        {
            var writer = new SafetensorsWriter();
            writer.Add("floats", floats);
            writer.Add("part", part);
            writer.Add("ints", ints);
            writer.Add("bytes", bytes);
            writer.Add("empty", empty);
            writer.Add("half", half);
            Assert.Throws<ArgumentException>(() => writer.Add("half", half));
            writer.Save(file);
        }

        using var archive = TensorArchive.Open(file);
        void Check<T>(string name, DType type, Shape shape, T[] expected)
            where T : unmanaged
        {
            using var tensor = archive.Read(name, device);
            Assert.Equal((type, shape), (tensor.DType, tensor.Shape));
            Assert.Equal(expected, tensor.ToArray<T>());
        }

        Check("floats", DType.Float32, new Shape(2, 70_000), values);
        Check("part", DType.Float32, new Shape(1, 70_000), values[70_000..]);
        Check("ints", DType.Int32, new Shape(3), new[] { 1, -2, 3 });
        Check("bytes", DType.UInt8, new Shape(2, 1), new byte[] { 7, 255 });
        Check("empty", DType.Float32, new Shape(0, 4), Array.Empty<float>());
        Check("half", DType.Float32, new Shape(1), new[] { 1.5f });
        Assert.Equal(DType.BFloat16, archive.Entries["half"].DType);
        Assert.Contains("'nothing'", Assert.Throws<InputException>(() => archive.Read("nothing", device)).Message);
        Assert.Equal(0, device.Pool.LiveBlocks);
    }

    [Fact]
    public void WhatNoTensorCanBeIsRefused()
    {
        using var folder = new TempFolder();
        string file = folder.File("t.safetensors");
        var writer = new SafetensorsWriter();
        writer.AddFloat32("deep", [1, 1, 1, 1, 1, 1, 2], new float[2]);
        writer.AddInt64("wide", [1], new[] { 1L << 40 });
        writer.Save(file);
        using var device = new CpuDevice(1);
        using var archive = TensorArchive.Open(file);
        Assert.Contains("at most 6 dimensions", Assert.Throws<InputException>(() => archive.Read("deep", device)).Message);
        Assert.Contains("at most 32 bits", Assert.Throws<InputException>(() => archive.Read("wide", device)).Message);
    }
}
