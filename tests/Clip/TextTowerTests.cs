using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Model;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Clip;

/// <summary>What causal attention makes exact (method.md 3), and where a text ends.</summary>
public sealed class TextTowerTests
{
    private static readonly string[] Texts = ["a photo of a cat", "a photo of a dining table", "", "blue grass and a very long row of words that "
        + "fills the context of this model many times over and over"];

    [Fact]
    public void TheEndIsTheFirstLargestId()
    {
        int[] ids = [9, 1, 5, 0, 0, 0, 9, 3, 10, 10, 2, 0];
        var cut = TokenBatch.Create(ids, 2);
        Assert.Equal([0, 2], cut.Ends);
        Assert.Equal((2, 3), (cut.Count, cut.Length));
        Assert.Equal([9, 1, 5, 9, 3, 10], cut.Ids);
        var whole = TokenBatch.Create(ids, 2, truncate: false);
        Assert.Equal(ids, whole.Ids);
        Assert.Equal(6, whole.Length);
        Assert.Throws<ArgumentException>(() => TokenBatch.Create(ids, 5));
        Assert.Throws<ArgumentException>(() => TokenBatch.Create(ids, 0));
    }

    [Fact]
    public void CuttingTheBatchToItsLongestTextChangesNothing()
    {
        using var device = new CpuDevice(1);
        using var clip = TinyClip.Load(device);
        int context = TinyClip.Config.ContextLength;
        float[] whole = Encode(device, clip, TokenBatch.Create(TinyClip.Ids(Texts), Texts.Length, truncate: false));
        var three = TokenBatch.Create(TinyClip.Ids(Texts).AsSpan(0, 3 * context), 3);
        Assert.InRange(three.Length, 6, 20);
        Close(whole.AsSpan(0, 3 * 64), Encode(device, clip, three), 1e-6);
        for (int i = 0; i < Texts.Length; i++)
        {
            Close(whole.AsSpan(64 * i, 64), Encode(device, clip, TokenBatch.Create(TinyClip.Ids(Texts[i]), 1)), 1e-6);
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(2)]
    [InlineData(1)]
    public void BeforeTrainingThePromptedTowerIsTheFrozenOne(int prompts)
    {
        using var device = new CpuDevice(1);
        using var clip = TinyClip.Load(device);
        var config = new ModelConfig { Prompts = new PromptConfig { Vision = 2, Text = prompts } };

        // The prompts are initialised from another class than any of those encoded.
        using var model = new LdvcModel(clip, config, new Initializer(device, 1), TokenBatch.Create(TinyClip.Ids("a photo of a zebra crossing"), 1));
        string[] names = ["cat", "dining table", "sky"];
        var texts = TokenBatch.Create(TinyClip.Ids([.. names.Select(n => $"a photo of a {n}")]), names.Length);
        using var tape = new Tape(device, recording: false);
        float[] frozen = tape.L2Normalize(clip.Text.Encode(tape, texts)).Value.ToArray();
        Close(frozen, model.EncodeClasses(tape, texts).Value.ToArray(), 1e-5);

        // And they are what the tower reads: another prompt in the last layer alone gives other features.
        var parameter = model.Parameters().Single(p => p.Name == "text.prompt").Parameter;
        Assert.Equal(new Shape(2, prompts, 128), parameter.Shape);
        float[] values = parameter.Value.ToArray();
        for (int i = values.Length / 2; i < values.Length; i++)
        {
            values[i] = -values[i];
        }

        parameter.Value.CopyFromHost<float>(values);
        float[] changed = model.EncodeClasses(tape, texts).Value.ToArray();
        Assert.True(frozen.Zip(changed).Max(p => Math.Abs(p.First - p.Second)) > 1e-3);
    }

    [Fact]
    public void ATemplateShorterThanThePromptsIsRefused()
    {
        using var device = new CpuDevice(1);
        using var clip = TinyClip.Load(device);
        var config = new ModelConfig { Prompts = new PromptConfig { Text = 4 } };
        var template = TokenBatch.Create(TinyClip.Ids("a b c"), 1);
        Assert.Contains(
            "model.prompts.text is 4",
            Assert.Throws<InputException>(() => new LdvcModel(clip, config, new Initializer(device, 1), template)).Message);
    }

    [Fact]
    public void TextsThatBeginAlikeAreComputedOnceWithTheSameFeatures()
    {
        // One text twice, one that is the beginning of others, ends at several positions, and one that shares nothing but the start token.
        string[] texts =
        [
            "a photo of a cat", "a photo of a cat sat", "a photo of a dining table", "a photo of a", "zebra", "a photo of a cat",
        ];
        using var device = new CpuDevice(1);
        using var clip = TinyClip.Load(device);
        var batch = TokenBatch.Create(TinyClip.Ids(texts), texts.Length);
        var tree = TokenTree.Create(batch);

        var beginnings = new HashSet<string>();
        for (int text = 0; text < texts.Length; text++)
        {
            for (int end = 0; end <= batch.Ends[text]; end++)
            {
                beginnings.Add(string.Join(' ', batch.Ids.AsSpan(text * batch.Length, end + 1).ToArray()));
                int node = tree.Sequences[(text * batch.Length) + end];
                Assert.Equal((batch.Ids[(text * batch.Length) + end], end), (tree.Ids[node], tree.Positions[node]));
            }
        }

        Assert.Equal(beginnings.Count, tree.Ids.Length);
        using var tape = new Tape(device, recording: false);
        Close(Encode(device, clip, batch), clip.Text.Encode(tape, tree).Value.ToArray(), 2e-6);
    }

    private static float[] Encode(Device device, ClipModel clip, TokenBatch batch)
    {
        using var tape = new Tape(device, recording: false);
        return clip.Text.Encode(tape, batch).Value.ToArray();
    }

    private static void Close(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double relative)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = 0, difference = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(expected[i]));
            difference = Math.Max(difference, Math.Abs(expected[i] - actual[i]));
        }

        Assert.True(difference <= relative * largest, $"differs by {difference}, largest value {largest}");
    }
}
