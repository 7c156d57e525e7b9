using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Tensors;
using Ldvc.Tests.Serialization;
using TinyGpt;
using Xunit;

namespace Ldvc.Tests.Comparison;

/// <summary>samples/TinyGpt: a reference run that is PyTorch's, and files that are no such run.</summary>
public sealed class TinyGptTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly CpuDevice _device = new(1);

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    // Rounding noise there, divided by its own size, moved final weights by a tenth of the largest one where the network is wide and the batch small.
    [Fact]
    public void KeyBiasesHaveNoGradient()
    {
        const int Width = 32;
        using var model = new Gpt(new Initializer(_device, seed: 3), new GptSizes(Layers: 2, Width, Heads: 4, Context: 8, Vocabulary: 11));
        using var tape = new Tape(_device, recording: true);
        int[] ids = [.. Enumerable.Range(0, 16).Select(i => i * 7 % 11)];
        tape.Backward(tape.CrossEntropy(model.Forward(tape, ids, batch: 2), [.. ids.Reverse()]));
        var biases = model.Parameters().Where(p => p.Name.EndsWith("qkv.bias", StringComparison.Ordinal)).ToArray();
        Assert.Equal(2, biases.Length);
        foreach (var (_, bias) in biases)
        {
            float[] gradient = bias.Gradient!.ToArray();
            Assert.All(gradient[Width..(2 * Width)], value => Assert.Equal(0, value));
            Assert.All(gradient[..Width], value => Assert.NotEqual(0, value));
            Assert.All(gradient[(2 * Width)..], value => Assert.NotEqual(0, value));
        }
    }

    [Theory]
    [InlineData("\"lr\": 0.001", "\"lr\": 1e39", "option 'lr' is Infinity, expected a float32 of at least 0")]
    [InlineData("\"eps\": 1e-08", "\"eps\": 1e39", "option 'eps' is Infinity, expected a float32 above 0")]
    [InlineData("\"eps\": 1e-08", "\"eps\": 1e-60", "option 'eps' is 0, expected a float32 above 0")]
    [InlineData("\"weight_decay\": 0.1", "\"weight_decay\": -1e39", "option 'weight_decay' is -Infinity, expected a float32 of at least 0")]
    [InlineData("[0.9, 0.95]", "[0.9, 1]", "option 'betas' is [0.9, 1], expected two of at least 0 and below 1")]
    [InlineData("\"heads\": 4", "\"heads\": 0", "option 'heads' is 0, expected at least 1")]
    [InlineData("\"heads\": 4", "\"heads\": 7", "option 'width' is 64, expected a multiple of the 7 heads")]
    [InlineData("\"erf\"", "\"tanh\"", "option 'gelu' is tanh, expected erf")]
    public void BadOptionsAreNamed(string from, string to, string expected) =>
        Assert.EndsWith(": " + expected, Refused(a =>
        {
            string text = a.Metadata["options"];
            Assert.Contains(from, text);
            a.Metadata["options"] = text.Replace(from, to, StringComparison.Ordinal);
        }));

    [Theory]
    [InlineData("grad.blocks.2.qkv.bias")]
    [InlineData("logits.1")]
    public void TensorsThatNothingIsComparedWithAreNamed(string name) =>
        Assert.Contains($"tensor '{name}' is none of this network's", Refused(a => a.Floats.Add(name, ([2], [1, 2]))));

    private string Refused(Action<EditedArchive> edit)
    {
        EditedArchive archive = EditedArchive.Load(TestFiles.Data("golden", "tiny-gpt.safetensors"));
        edit(archive);
        string path = archive.Save(_folder.File("edited.safetensors"));
        return Assert.Throws<InputException>(() => ReferenceRun.Compare(_device, path)).Message;
    }
}
