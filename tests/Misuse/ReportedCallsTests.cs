using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Tensors;
using Ldvc.Tests.Autograd;
using Xunit;

namespace Ldvc.Tests.Misuse;

/// <summary>
/// Calls of 0.1.0 that read or wrote memory of others, or used a part of their input, one by one: each is refused by the name of its operation, or
/// right as a whole. On a device that watches its blocks; what else every operation is asked is in <see cref="OpMisuseTests"/>.
/// </summary>
public sealed class ReportedCallsTests
{
    private static readonly Dictionary<string, Func<Tape, Variable>> Refused = new()
    {
        ["scale of UInt8"] = t => t.Scale(Of(t, DType.UInt8, 3, 4), 2),
        ["scale of Int32"] = t => t.Scale(Of(t, DType.Int32, 3, 4), 2),
        ["scale of Float16"] = t => t.Scale(Of(t, DType.Float16, 3, 4), 2),
        ["add of UInt8"] = t => t.Add(Of(t, DType.UInt8, 3, 4), Of(t, DType.UInt8, 3, 4)),
        ["linear of Int32"] = t => t.Linear(Of(t, DType.Int32, 3, 4), Input(t, 5, 4), null),
        ["mask loss of Float16"] = t => Loss(t, Of(t, DType.Float16, 1, 3, 2, 2), 0),
        ["gather of UInt8"] = t => t.Gather(Of(t, DType.UInt8, 3, 4), [0], 1),
        ["transpose of rank 3"] = t => t.Transpose(Input(t, 2, 3, 4)),
        ["slice tokens beyond the end"] = t => t.SliceTokens(Input(t, 2, 3, 4), int.MaxValue, 1),
        ["splice beyond the end"] = t => t.Splice(Input(t, 2, 3, 4), Input(t, 1, 4), int.MaxValue, 1),
        ["dropout of 1"] = t => t.Dropout(Input(t, 3), 1),
        ["dropout of 2"] = t => t.Dropout(Input(t, 3), 2),
        ["dropout of -1"] = t => t.Dropout(Input(t, 3), -1),
        ["dropout of NaN"] = t => t.Dropout(Input(t, 3), float.NaN),
        ["no heads"] = t => t.Attention(Input(t, 1, 2, 4), Input(t, 1, 2, 4), Input(t, 1, 2, 4), 0, 0),
        ["the mean of no tokens"] = t => t.MeanTokens(Input(t, 2, 0, 4)),
        ["label 200 of 3 classes"] = t => Loss(t, Input(t, 1, 3, 2, 2), 200),
        ["2^32 products of no rows"] = t => t.MatMul(Input(t, 65536, 65536, 0, 3), Input(t, 3, 4)),
        ["two devices"] = t => t.Add(Input(t, 3), new Parameter(new CpuDevice(1).Zeros(new Shape(3)))),
    };

    private static readonly Dictionary<string, Func<Tape, Variable>> RefusedOrWhole = new()
    {
        ["cross-entropy of rank 3"] = t => t.CrossEntropy(Input(t, 2, 3, 4), [0, 1, 2, 3, 0, 1]),
        ["matmul-transposed of rank 4"] = t => t.MatMulTransposed(Input(t, 2, 3, 4, 5), Input(t, 2, 3, 6, 5), 1),
        ["concat of rank 4"] = t => t.Concat(Input(t, 2, 3, 4, 5), Input(t, 2, 3, 4, 5)),
        ["attention of rank 4"] = t => t.Attention(Input(t, 1, 2, 2, 4), Input(t, 1, 2, 2, 4), Input(t, 1, 2, 2, 4), 1, 0),
        ["add rows of rank 4"] = t => t.AddRows(Input(t, 2, 3, 4, 5), Input(t, 4, 5)),
        ["layer norm of width 0"] = t => t.LayerNorm(Input(t, 2, 0), Input(t, 0), Input(t, 0), 1e-5f),
        ["a softmax of width 0"] = t => t.Softmax(Input(t, 2, 0), 1),
    };

    public static TheoryData<string> RefusedCalls => [.. Refused.Keys];

    public static TheoryData<string> OtherCalls => [.. RefusedOrWhole.Keys];

    [Theory]
    [MemberData(nameof(RefusedCalls))]
    public void IsRefused(string call) => Assert.NotNull(Try(Refused[call]));

    [Theory]
    [MemberData(nameof(OtherCalls))]
    public void IsRefusedOrWhole(string call) => Try(RefusedOrWhole[call]);

    // Names of arguments, and no pieces of the framework's source.
    [Fact]
    public void IndicesOnADeviceAreCalledByTheirNames()
    {
        using var device = new CpuDevice(1);
        using var tape = new Tape(device, recording: true);
        using Tensor wrong = device.FromHost([0, 7], new Shape(2));
        Variable x = Input(tape, 3, 4);
        Func<Variable>[] calls = [() => tape.IndexSelect(x, 0, wrong), () => tape.Embedding(x, wrong)];
        Assert.Equal(
            ["index_select: indices[1] must be 0..2, got 7 ([3, 4])", "embedding: ids[1] must be 0..2, got 7 ([3, 4])"],
            calls.Select(call => Assert.Throws<ArgumentOutOfRangeException>(call).Message));
    }

    // Two devices may have one name: "expected cpu, got cpu" tells nothing.
    [Fact]
    public void AnotherDeviceOfTheSameNameIsSaid()
    {
        using CpuDevice device = new(1), other = new(1);
        using var tape = new Tape(device, recording: true);
        Variable x = Input(tape, 3);
        using Tensor far = other.Zeros(new Shape(3));
        using var parameter = new Parameter(far.Share());
        Action[] calls =
        [
            () => tape.Constant(far.Share()), () => tape.Input(far.Share()), () => tape.Add(x, parameter), () => x.Value.CopyFrom(far),
            () => tape.Apply(new ScaleRows(), x, parameter), () => tape.Backward(tape.Scale(x, 2), far),
        ];
        Assert.All(calls, call => Assert.Contains("another", Assert.Throws<ArgumentException>(call).Message, StringComparison.Ordinal));
    }

    // The error, which must be one that callers may expect; null when values and gradients are all there. Guards are looked at when blocks are freed.
    private static Exception? Try(Func<Tape, Variable> call)
    {
        using var device = WatchedDevice.Open();
        using var tape = new Tape(device, recording: true);
        Exception? error = Record.Exception(() =>
        {
            Variable result = call(tape);
            Assert.DoesNotContain(float.NaN, result.Value.ToArray());
            tape.Backward(result);
        });
        Assert.True(error is null || Refusal.IsKind(error), $"{error}");
        Assert.False(error is { Message.Length: 0 });
        return error;
    }

    private static Variable Input(Tape tape, params int[] sizes)
    {
        var shape = new Shape(sizes);
        return tape.Input(tape.Device.FromHost([.. Enumerable.Range(0, (int)shape.Count).Select(i => 0.25f * (i % 7))], shape));
    }

    private static Variable Of(Tape tape, DType type, params int[] sizes) => tape.Constant(tape.Device.Zeros(new Shape(sizes), type));

    private static Variable Loss(Tape tape, Variable logits, byte label)
    {
        using Tensor labels = tape.Device.FromHost((byte[])[.. Enumerable.Repeat(label, 12)], new Shape(1, 3, 4));
        Variable loss = tape.MaskLoss(logits, labels, 1, 1, 0.25f, out Tensor parts);
        parts.Dispose();
        return loss;
    }
}
