using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Xunit;

namespace Ldvc.Tests.Model;

/// <summary>Initial values (method.md 2 to 5): their distributions, and what starts equal to what.</summary>
public sealed class InitialisationTests
{
    private static readonly Dictionary<string, float[]> Initial = Create(new ModelConfig(), 3);

    [Fact]
    public void VisionPromptsAreUniform()
    {
        // sqrt(6 / (3 p p + width)), method.md 2.2.
        double bound = Math.Sqrt(6.0 / ((3 * 16 * 16) + 128));
        AssertUniform(Initial["visual.prompt.shallow"], bound);
        AssertUniform(Initial["visual.prompt.deep"], bound);
    }

    [Fact]
    public void TheirProjectionIsKaimingNormal()
    {
        AssertNormal(Initial["visual.prompt.proj.weight"], Math.Sqrt(2.0 / 128));
        AssertUniform(Initial["visual.prompt.proj.bias"], 1 / Math.Sqrt(128));
    }

    [Theory]
    [InlineData("adapter", 128)]
    [InlineData("decoder.layers.0.self.q", 64)]
    [InlineData("decoder.layers.0.self.k", 64)]
    [InlineData("decoder.layers.0.self.v", 64)]
    [InlineData("decoder.layers.0.self.o", 64)]
    [InlineData("decoder.layers.0.cross.q", 64)]
    [InlineData("decoder.layers.0.cross.k", 64)]
    [InlineData("decoder.layers.0.cross.v", 64)]
    [InlineData("decoder.layers.0.cross.o", 64)]
    [InlineData("decoder.layers.0.ffn.fc1", 64)]
    [InlineData("decoder.layers.0.ffn.fc2", 256)]
    public void LinearsStartAsPyTorchs(string name, int inputs)
    {
        AssertUniform(Initial[name + ".weight"], 1 / Math.Sqrt(inputs));
        AssertUniform(Initial[name + ".bias"], 1 / Math.Sqrt(inputs));
    }

    [Fact]
    public void NormsStartAsTheIdentity()
    {
        string[] norms = [.. Initial.Keys.Where(name => name.Contains("norm", StringComparison.Ordinal))];
        Assert.Equal(20, norms.Length);
        Assert.All(norms, name => Assert.All(Initial[name], v => Assert.Equal(name.EndsWith("weight", StringComparison.Ordinal) ? 1 : 0, v)));
    }

    [Fact]
    public void DecoderLayersAreCopiesOfOnePrototype()
    {
        const string First = "decoder.layers.0.";
        string[] names = [.. Initial.Keys.Where(name => name.StartsWith(First, StringComparison.Ordinal)).Select(name => name[First.Length..])];
        Assert.Equal(26, names.Length);
        foreach (string name in names)
        {
            Assert.Equal(Initial[First + name], Initial["decoder.layers.1." + name]);
            Assert.Equal(Initial[First + name], Initial["decoder.layers.2." + name]);
        }

        // Within the prototype nothing is a copy.
        Assert.NotEqual(Initial[First + "self.q.weight"], Initial[First + "self.k.weight"]);
        Assert.NotEqual(Initial[First + "self.q.weight"], Initial[First + "cross.q.weight"]);
    }

    [Fact]
    public void TextPromptsAreTheFrozenTowersOwnInputs()
    {
        using var device = new CpuDevice(1);
        using var clip = TinyClip.Load(device);
        using var tape = new Tape(device, recording: false);
        var texts = TokenBatch.Create(TinyClip.Ids("a photo of a striped cat"), 1);
        var x = clip.Text.Embed(tape, texts.Ids, 1, texts.Length);
        float[] prompts = Initial["text.prompt"];
        for (int layer = 0; layer < 2; layer++)
        {
            float[] inputs = tape.SliceTokens(x, 1, 4).Value.ToArray();
            Assert.Equal(inputs, prompts.AsSpan(layer * 4 * 128, 4 * 128).ToArray(), (a, b) => Math.Abs(a - b) <= 1e-6f);
            x = clip.Text.Block(tape, layer, x);
        }
    }

    [Fact]
    public void TheIdentityAdapterPassesClassEmbeddings()
    {
        var values = Create(new ModelConfig { AdapterInit = AdapterInit.Identity }, 3);
        for (int row = 0; row < 64; row++)
        {
            for (int column = 0; column < 128; column++)
            {
                Assert.Equal(column == 64 + row ? 1 : 0, values["adapter.weight"][(row * 128) + column]);
            }
        }

        Assert.All(values["adapter.bias"], v => Assert.Equal(0, v));
    }

    [Fact]
    public void TheSeedDecidesEveryRandomValue()
    {
        var again = Create(new ModelConfig(), 3);
        var other = Create(new ModelConfig(), 4);
        Assert.All(Initial.Keys, name => Assert.Equal(Initial[name], again[name]));
        foreach (string name in Initial.Keys)
        {
            bool random = name != "text.prompt" && !name.Contains("norm", StringComparison.Ordinal);
            Assert.Equal(random, !Initial[name].AsSpan().SequenceEqual(other[name]));
        }
    }

    private static Dictionary<string, float[]> Create(ModelConfig config, ulong seed)
    {
        using var device = new CpuDevice(1);
        using var loaded = LoadedModel.Create(TinyClip.Folder, config, device, seed);
        return loaded.Model.Parameters().ToDictionary(p => p.Name, p => p.Parameter.Value.ToArray());
    }

    // Within the bound, and as far from the uniform distribution as chance would have it: Kolmogorov's statistic exceeds 2.2 once in 16000 times.
    private static void AssertUniform(float[] values, double bound)
    {
        Assert.All(values, v => Assert.InRange(v, -bound, bound));
        Assert.InRange(Distance(values, v => (v + bound) / (2 * bound)), 0, 2.2 / Math.Sqrt(values.Length));
    }

    private static void AssertNormal(float[] values, double deviation) =>
        Assert.InRange(Distance(values, v => MathNet.Numerics.Distributions.Normal.CDF(0, deviation, v)), 0, 2.2 / Math.Sqrt(values.Length));

    private static double Distance(float[] values, Func<double, double> cumulative)
    {
        float[] sorted = [.. values.Order()];
        double largest = 0;
        for (int i = 0; i < sorted.Length; i++)
        {
            double expected = cumulative(sorted[i]);
            largest = Math.Max(largest, Math.Max(Math.Abs(expected - ((double)i / sorted.Length)), Math.Abs(expected - ((i + 1.0) / sorted.Length))));
        }

        return largest;
    }
}
