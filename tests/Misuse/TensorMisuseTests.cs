using System.Reflection;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Xunit;

namespace Ldvc.Tests.Misuse;

/// <summary>Every public method of tensors and shapes with arguments that are wrong.</summary>
public sealed class TensorMisuseTests : IDisposable
{
    private readonly CpuDevice _device = WatchedDevice.Open();

    // What needs the memory, by name: none works on a tensor that was freed, or whose device was.
    private static readonly Dictionary<string, Action<Tensor, Tensor>> s_methods = new()
    {
        ["Reshape"] = (t, _) => t.Reshape(6),
        ["Share"] = (t, _) => t.Share(),
        ["Slice"] = (t, _) => t.Slice(0, 1),
        ["Clone"] = (t, _) => t.Clone(),
        ["CopyFrom"] = (t, other) => t.CopyFrom(other),
        ["CopyFromHost"] = (t, _) => t.CopyFromHost<float>(new float[6]),
        ["CopyToHost"] = (t, _) => t.CopyToHost<float>(new float[6]),
        ["ToArray"] = (t, _) => t.ToArray(),
        ["ToScalar"] = (t, _) => t.ToScalar(),
        ["Clear"] = (t, _) => t.Clear(),
        ["ToValueString"] = (t, _) => t.ToValueString(),
        ["Print"] = (t, _) => t.Print(writer: TextWriter.Null),
        ["AsSpan"] = (t, _) => t.AsSpan<float>(),
    };

    // These say what a tensor is or was, and free it.
    private static readonly string[] s_harmless = ["ToString", "Dispose", "Equals", "GetHashCode", "GetType"];

    [Fact]
    public void EveryMethodIsTried()
    {
        var names = typeof(Tensor).GetMethods(
            BindingFlags.Public | BindingFlags.Instance).Where(m => !m.IsSpecialName).Select(m => m.Name).Distinct();
        Assert.Empty(names.Except(s_methods.Keys).Except(s_harmless));
    }

    [Fact]
    public void AFreedTensorIsRefused()
    {
        using Tensor shape = _device.Zeros(new Shape(2, 3)), one = _device.Zeros(new Shape(1));
        foreach (var (name, act) in s_methods)
        {
            var tensor = name == "ToScalar" ? one.Clone() : shape.Clone();
            tensor.Dispose();
            tensor.Dispose();
            Assert.True(tensor.IsDisposed);
            Assert.Contains(
                name == "ToScalar" ? "[1]" : "[2, 3]",
                Assert.Throws<ObjectDisposedException>(() => act(tensor, shape)).Message,
                StringComparison.Ordinal);
            Assert.Equal(2, _device.Pool.LiveBlocks);
        }

        var gone = shape.Clone();
        gone.Dispose();
        Assert.Throws<ObjectDisposedException>(() => shape.CopyFrom(gone));
        Assert.Throws<ObjectDisposedException>(() => gone.View);
        Assert.Throws<ArgumentNullException>(() => shape.CopyFrom(null!));
    }

    [Fact]
    public void ATensorAfterItsDeviceIsRefused()
    {
        foreach (var (name, act) in s_methods)
        {
            var device = new CpuDevice(1);
            var tensor = device.Zeros(name == "ToScalar" ? new Shape(1) : new Shape(2, 3));
            device.Dispose();
            Assert.Contains(
                "device cpu was disposed of", Assert.Throws<ObjectDisposedException>(() => act(tensor, tensor)).Message, StringComparison.Ordinal);
            tensor.Dispose();
            Assert.Equal(0, device.Pool.LiveBlocks);
            Assert.Equal(0, device.Pool.ReservedBytes);
        }
    }

    [Theory]
    [InlineData(1, int.MaxValue)]
    [InlineData(int.MaxValue, 1)]
    [InlineData(int.MaxValue, int.MaxValue)]
    [InlineData(-1, 1)]
    [InlineData(0, -1)]
    [InlineData(int.MinValue, int.MinValue)]
    [InlineData(2, 3)]
    [InlineData(5, 0)]
    public void SlicesLieInside(int start, int count)
    {
        using var tensor = _device.Zeros(new Shape(4, 3));
        Assert.Contains("slice: ", Assert.Throws<ArgumentOutOfRangeException>(() => tensor.Slice(start, count)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ASliceNeedsADimension()
    {
        using var scalar = _device.Zeros(default);
        Assert.Contains("slice: ", Assert.Throws<ArgumentException>(() => scalar.Slice(0, 1)).Message, StringComparison.Ordinal);
        using var tensor = _device.Zeros(new Shape(4, 3));
        using var none = tensor.Slice(4, 0);
        Assert.Equal(new Shape(0, 3), none.Shape);
    }

    [Theory]
    [InlineData(1 << 30, 1 << 30, 2)]
    [InlineData(1 << 30, 1 << 30, 4)]
    [InlineData(int.MaxValue, int.MaxValue, int.MaxValue)]
    [InlineData(1 << 30, 1 << 30, 8)]
    public void BytesBeyondWhatCanBeCountedAreRefused(int a, int b, int c)
    {
        Assert.ThrowsAny<ArgumentException>(() => _device.Empty(new Shape(a, b, c)));
        Assert.ThrowsAny<ArgumentException>(() => _device.Zeros(new Shape(a, b, c)));
        using var plain = new CpuDevice(1);
        Assert.Contains(
            $"[{a}, {b}, {c}]", Assert.ThrowsAny<ArgumentException>(() => plain.Empty(new Shape(a, b, c))).Message, StringComparison.Ordinal);
        Assert.Equal(0, plain.Pool.LiveBytes);
    }

    [Fact]
    public void BytesThatNoMachineHasAreOutOfMemory()
    {
        using var plain = new CpuDevice(1);
        foreach (var (shape, type) in new[] { (new Shape(1 << 30, 1 << 30, 4), DType.UInt8), (new Shape(int.MaxValue, int.MaxValue, 2), DType.UInt8),
            (new Shape(1 << 30, 1 << 30, 1), DType.Float32) })
        {
            Assert.Contains("out of memory", Assert.Throws<InputException>(() => plain.Empty(shape, type)).Message, StringComparison.Ordinal);
        }

        Assert.Equal((0, 0, 0), (plain.Pool.LiveBytes, plain.Pool.LiveBlocks, plain.Pool.ReservedBytes));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(513)]
    [InlineData(1 << 20)]
    [InlineData((1 << 20) + 1)]
    [InlineData(long.MaxValue / 2)]
    public void BlocksAreNeverSmallerThanAskedFor(long bytes) => Assert.InRange(MemoryPool.SizeClass(bytes), bytes, bytes + (bytes / 7) + 64);

    [Fact]
    public void SizeClassesEndWhereBytesCannotBeCounted()
    {
        Assert.Throws<DeviceMemoryException>(() => MemoryPool.SizeClass(long.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => MemoryPool.SizeClass(-1));
    }

    [Fact]
    public void ShapesCountRight()
    {
        Assert.Equal(0, new Shape(1 << 30, 1 << 30, 1 << 30, 0).Count);
        Assert.Equal(1L << 62, new Shape(1 << 30, 1 << 30, 4).Count);
        Assert.Equal(1, default(Shape).Count);
        Assert.Throws<ArgumentException>(() => new Shape(1 << 30, 1 << 30, 8));
        Assert.Throws<ArgumentException>(() => new Shape(int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue));
        Assert.Contains("[2, -1]", Assert.Throws<ArgumentOutOfRangeException>(() => new Shape(2, -1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new Shape(1, 1, 1, 1, 1, 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Shape(2)[1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Shape(2)[int.MinValue]);
    }

    [Fact]
    public void HostValuesHaveTheElementsType()
    {
        Type[] hosts = [typeof(float), typeof(double), typeof(long), typeof(ulong), typeof(int), typeof(uint), typeof(short), typeof(ushort),
            typeof(char), typeof(Half), typeof(sbyte), typeof(byte), typeof(bool), typeof(DType)];
        Dictionary<DType, Type[]> right = new()
        {
            [DType.Float32] = [typeof(float)],
            [DType.BFloat16] = [typeof(ushort)],
            [DType.Float16] = [typeof(ushort), typeof(Half)],
            [DType.Float64] = [typeof(double)],
            [DType.Int64] = [typeof(long)],
            [DType.Int32] = [typeof(int)],
            [DType.Int16] = [typeof(short)],
            [DType.Int8] = [typeof(sbyte)],
            [DType.UInt8] = [typeof(byte)],
            [DType.Bool] = [typeof(byte), typeof(bool)],
        };
        var copy = GetType().GetMethod(nameof(Copies), BindingFlags.NonPublic | BindingFlags.Instance)!;
        foreach (var type in Enum.GetValues<DType>())
        {
            foreach (var host in hosts)
            {
                Assert.Equal(right[type].Contains(host), (bool)copy.MakeGenericMethod(host).Invoke(this, [type])!);
            }
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => _device.Empty(new Shape(1), (DType)99));
    }

    [Fact]
    public void TheNumberOfHostValuesIsTheShapes()
    {
        using var tensor = _device.Zeros(new Shape(2, 3));
        Assert.Throws<ArgumentException>(() => tensor.CopyFromHost<float>(new float[5]));
        Assert.Throws<ArgumentException>(() => tensor.CopyToHost<float>(new float[7]));
        Assert.Throws<ArgumentException>(() => tensor.ToScalar());
        Assert.Throws<ArgumentException>(() => tensor.Reshape(5));
        Assert.Throws<ArgumentOutOfRangeException>(() => tensor.Reshape(-6));
        long before = _device.Pool.LiveBlocks;
        Assert.Throws<ArgumentException>(() => _device.FromHost(new float[5], new Shape(2, 3)));
        Assert.Throws<ArgumentException>(() => _device.FromHost(new int[5], new Shape(2, 3)));
        Assert.Throws<ArgumentException>(() => _device.FromHost(new byte[5], new Shape(2, 3)));
        Assert.Equal(before, _device.Pool.LiveBlocks);
    }

    [Fact]
    public void CopiesNeedTheSameTypeNumberAndDevice()
    {
        using var elsewhere = new CpuDevice(1);
        using Tensor tensor = _device.Zeros(new Shape(2, 3)), integers = _device.Zeros(new Shape(2, 3), DType.Int32),
            more = _device.Zeros(new Shape(7)), far = elsewhere.Zeros(new Shape(2, 3));
        foreach (var source in new[] { integers, more, far })
        {
            Assert.Contains("copy: ", Assert.Throws<ArgumentException>(() => tensor.CopyFrom(source)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ViewsStayInTheirBlockAndType()
    {
        using Tensor floats = _device.Zeros(new Shape(4)), integers = _device.Zeros(new Shape(4), DType.Int32),
            bytes = _device.Zeros(new Shape(4), DType.UInt8);
        Assert.Equal(4, floats.View.Shift(4).Offset);
        foreach (long shift in new[] { 5L, -1, long.MaxValue, long.MinValue })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => floats.View.Shift(shift));
        }

        Assert.Contains(
            "expected Int32 numbers, got float32",
            Assert.Throws<InvalidOperationException>(() => Read(floats, ints: true)).Message,
            StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => Read(bytes, ints: true));
        Assert.Throws<InvalidOperationException>(() => Read(integers, ints: false));
        Assert.Throws<InvalidOperationException>(() => floats.View.GpuFloats);
        Assert.True(default(View).Shift(3).IsNone);

        static unsafe nint Read(Tensor tensor, bool ints) => ints ? (nint)tensor.View.Ints : (nint)tensor.View.Bytes;
    }

    [Fact]
    public void APartOfAWeightInPanelsHasItsValues()
    {
        using var device = new CpuDevice(1);
        using var weight = device.FromHost([.. Enumerable.Range(0, 64 * 5).Select(i => (float)i)], new Shape(64, 5));
        using Tensor panel = weight.Slice(32, 32), part = weight.Slice(1, 40);
        float[] before = panel.ToArray();
        Assert.True(weight.KeepInPanels());
        Assert.Equal(before, panel.ToArray());
        using var first = weight.Slice(0, 32);
        Assert.Equal(Enumerable.Range(0, 160).Select(i => (float)i), first.ToArray());
        Assert.True(weight.InPanels);
        Assert.Equal(Enumerable.Range(5, 200).Select(i => (float)i), part.ToArray());
        Assert.False(weight.InPanels);
        part.CopyFromHost<float>(new float[200]);
        Assert.Equal(before[..5].Select((_, i) => (float)i).Concat(new float[200]).Concat(before[45..]), weight.ToArray());
    }

    [Fact]
    public void StagedInputsFitTheirTensor()
    {
        using var stage = new InputStage(_device);
        Assert.Throws<ArgumentException>(() => stage.Stage<float>(new float[5], new Shape(2, 3), DType.Float32));
        Assert.Throws<ArgumentException>(() => stage.Stage<int>(new int[6], new Shape(2, 3), DType.Float32));
        Assert.Throws<ArgumentException>(() => stage.Stage<char>(new char[6], new Shape(2, 3), DType.UInt8));
        Assert.False(stage.IsFull);
        Assert.Throws<InvalidOperationException>(stage.Take);
    }

    [Fact]
    public void WritesOutsideATensorAreSeen()
    {
        using var tensor = _device.Zeros(new Shape(3));
        Write(tensor, 3);
        Assert.Contains("behind a block of 12 bytes", Assert.Throws<InvalidOperationException>(tensor.Dispose).Message, StringComparison.Ordinal);
        var other = _device.Zeros(new Shape(3));
        Write(other, -1);
        Assert.Contains("before a block of 12 bytes", Assert.Throws<InvalidOperationException>(other.Dispose).Message, StringComparison.Ordinal);

        static unsafe void Write(Tensor tensor, int index) => tensor.View.Floats[index] = 1;
    }

    public void Dispose() => _device.Dispose();

    private bool Copies<T>(DType type)
        where T : unmanaged
    {
        using var tensor = _device.Zeros(new Shape(3), type);
        Exception?[] errors =
        [
            Record.Exception(() => tensor.CopyFromHost<T>(new T[3])), Record.Exception(() => tensor.CopyToHost<T>(new T[3])),
            Record.Exception(() => tensor.ToArray<T>()), Record.Exception(() => tensor.AsSpan<T>()),
        ];
        Assert.True(
            errors.All(e => e is null) || errors.All(e => e is ArgumentException or InvalidOperationException), $"{type} and {typeof(T).Name}");
        return errors[0] is null;
    }
}
