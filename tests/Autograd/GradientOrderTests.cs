using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Xunit;

namespace Ldvc.Tests.Autograd;

/// <summary>Gradients are told as soon as they are final, and never before: what is sent to other processes then is the gradient.</summary>
public sealed class GradientOrderTests
{
    public static TheoryData<string> Models => ["ldvc", "zegclip", "self-attention", "frozen names", "no prompts", "dot"];

    [Theory]
    [MemberData(nameof(Models))]
    public void EveryGradientOfAModelIsToldOnceAndIsFinalThen(string name)
    {
        var plain = new ModelConfig { Prompts = new PromptConfig { Vision = 2 }, Decoder = new DecoderConfig { Layers = 2, Windows = 2, Topk = 2 } };
        ModelConfig config = name switch
        {
            "zegclip" => plain with
            {
                Prompts = plain.Prompts with { Text = 0, DropoutPer = PromptDropout.Picture },
                Decoder = new DecoderConfig { Kind = DecoderKind.ClassQuery, Attention = SelfAttention.None }
            },
            "self-attention" => plain with { Decoder = new DecoderConfig { Attention = SelfAttention.Full } },
            "frozen names" => plain with { Prompts = plain.Prompts with { Text = 0 } },
            "no prompts" => plain with { Prompts = plain.Prompts with { Vision = 0 } },
            "dot" => plain with { Head = MaskHead.Dot },
            _ => plain,
        };
        using var device = new CpuDevice(1);
        using LoadedModel loaded = LoadedModel.Create(TinyClip.Folder, config, device, 5);
        var parameters = loaded.Model.Parameters().ToDictionary(p => p.Parameter, p => p.Name);
        var told = new List<(string Name, float[]? Gradient)>();
        using var tape = new Tape(
            device, recording: true, seed: 7)
        { GradientIsFinal = parameter => told.Add((parameters[parameter], parameter.Gradient?.ToArray())) };
        using Tensor image = device.FromHost([.. Enumerable.Range(0, 2 * 3 * 64 * 64).Select(i => MathF.Sin(i))], new Shape(2, 3, 64, 64));
        using Tensor labels = device.FromHost([.. Enumerable.Range(0, 2 * 64 * 64).Select(i => (byte)(i / 900 % 2))], new Shape(2, 64, 64));
        Variable texts = loaded.Model.HasTextPrompts
            ? loaded.Model.EncodeClasses(tape, loaded.Tokenize(["cat", "dog"]))
            : tape.Constant(loaded.EmbedClasses(["cat", "dog"]));
        Variable loss = tape.MaskLoss(loaded.Model.Forward(tape, image, texts), labels, 100, 1, 0.25f, out Tensor parts);
        parts.Dispose();
        Assert.Empty(told);
        tape.Backward(loss);

        Assert.Equal(told.Count, told.DistinctBy(each => each.Name).Count());
        var final = loaded.Model.Parameters().Where(p => p.Parameter.Gradient is not null).ToDictionary(
            p => p.Name, p => p.Parameter.Gradient!.ToArray());
        Assert.Equal(final.Keys.Order(), told.Where(each => each.Gradient is not null).Select(each => each.Name).Order());
        Assert.All(told.Where(each => each.Gradient is not null), each => Assert.Equal(final[each.Name], each.Gradient));

        // The decoder's last operations are the first of the backward: some gradients must come long before the vision prompts'.
        Assert.StartsWith("decoder.", told[0].Name);
    }

    [Fact]
    public void AParameterThatIsUsedTwiceIsToldAfterItsFirstUse()
    {
        using var device = new CpuDevice(1);
        using var weight = new Parameter(device.FromHost([1f, 2f], new Shape(2)));
        using var other = new Parameter(device.FromHost([3f, 5f], new Shape(2)));
        var told = new List<(Parameter, float[])>();
        using var tape = new Tape(device, recording: true) { GradientIsFinal = parameter => told.Add((parameter, parameter.Gradient!.ToArray())) };
        Variable early = tape.Share(weight), late = tape.Multiply(tape.Multiply(early, other), weight);
        tape.Backward(late);
        Assert.Equal([other, weight], told.Select(each => each.Item1));
        Assert.Equal([1f, 4f], told[0].Item2);
        Assert.Equal([6f, 20f], told[1].Item2);
    }
}
