using Ldvc.Autograd;
using Ldvc.Cases;
using Ldvc.Clip;
using Ldvc.Prompts;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Xunit;

namespace Ldvc.Tests.Model;

/// <summary>What texts share is computed once, and comes out as if each had been encoded on its own (method.md 3).</summary>
public sealed class TextPromptTests : IDisposable
{
    private readonly CpuDevice _device = new(2);
    private readonly ClipModel _clip;

    public TextPromptTests() => _clip = TinyClip.Load(_device);

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void SharingTheBeginningChangesNothing(int count)
    {
        using var prompts = Prompts(count);
        var texts = Texts("a photo of a cat", "a photo of a dining table", "a photo of a sky");
        var together = Run(prompts, texts, prompts.Encode);
        var apart = Run(prompts, texts, prompts.EncodeApart);
        Close(apart.Features, together.Features, 1e-6);
        Close(apart.Gradient, together.Gradient, 1e-5);
        Assert.True(together.Nodes > apart.Nodes, "the texts were not encoded together");
    }

    // Its end lies where a prompt goes: nothing of it is left to come after what is shared.
    [Fact]
    public void ATextThatEndsAmongThePromptsIsEncodedApart()
    {
        using var prompts = Prompts(3);
        var texts = Texts("a photo of a cat", "a");
        var (features, _, nodes) = Run(prompts, texts, prompts.Encode);
        var apart = Run(prompts, texts, prompts.EncodeApart);
        Assert.Equal(apart.Features, features);
        Assert.Equal(apart.Nodes, nodes);
    }

    public void Dispose()
    {
        _clip.Dispose();
        Assert.Equal(0, _device.Pool.LiveBlocks);
        _device.Dispose();
    }

    private static TokenBatch Texts(params string[] texts) => TokenBatch.Create(TinyClip.Ids(texts), texts.Length);

    private TextPrompts Prompts(int count)
    {
        var prompts = new TextPrompts(_device, TinyClip.Config, count);
        var parameter = prompts.Parameters().Single().Parameter;
        parameter.Value.CopyFromHost<float>(CaseRandom.Normal("prompts", (int)parameter.Value.Count));
        return prompts;
    }

    private (float[] Features, float[] Gradient, int Nodes) Run(
        TextPrompts prompts, TokenBatch texts, Func<Tape, TextTower, TokenBatch, Variable> encode)
    {
        using var tape = new Tape(_device, recording: true);
        var features = encode(tape, _clip.Text, texts);
        int nodes = tape.Nodes.Count;
        using var gradient = _device.FromHost(CaseRandom.Normal("gradient", (int)features.Value.Count), features.Shape);
        float[] values = features.Value.ToArray();
        tape.Backward(features, gradient);
        var parameter = prompts.Parameters().Single().Parameter;
        float[] result = parameter.Gradient!.ToArray();
        parameter.ClearGradient();
        return (values, result, nodes);
    }

    private static void Close(float[] expected, float[] actual, double relative)
    {
        // A maximum passes over what is no number.
        Assert.All(expected.Concat(actual), value => Assert.True(float.IsFinite(value)));
        double largest = expected.Max(Math.Abs), difference = expected.Zip(actual).Max(p => Math.Abs(p.First - p.Second));
        Assert.True(expected.Length == actual.Length && difference <= relative * largest, $"differs by {difference}, largest value {largest}");
    }
}
