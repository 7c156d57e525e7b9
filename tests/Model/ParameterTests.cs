using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Xunit;
using ClipConfig = Ldvc.Clip.ClipConfig;

namespace Ldvc.Tests.Model;

/// <summary>Names, shapes and number of the trained parameters (method.md 11 and 8).</summary>
public sealed class ParameterTests
{
    private static readonly ClipConfig VitB16 = new(new TowerConfig(768, 12, 12, 3072), new TowerConfig(512, 12, 8, 2048), 512, 224, 16, 77, 49408);

    [Theory]
    [InlineData(10, 13.85)]
    [InlineData(100, 14.68)]
    public void AtTheDefaultsOfViTB16(int prompts, double millions)
    {
        var found = Parameters(VitB16, new ModelConfig { Prompts = new PromptConfig { Vision = prompts } });
        Assert.Equal(Published(prompts), found);
        Assert.Equal(millions, found.Sum(p => p.Value.Aggregate(1L, (a, b) => a * b)) / 1e6, 0.005);
    }

    [Fact]
    public void ShapesFollowTheCheckpointsSizes()
    {
        var found = Parameters(TinyClip.Config, new ModelConfig { Prompts = new PromptConfig { Vision = 3, Text = 2 } });
        Assert.Equal([3, 128], found["visual.prompt.shallow"]);
        Assert.Equal([1, 3, 128], found["visual.prompt.deep"]);
        Assert.Equal([2, 2, 128], found["text.prompt"]);
        Assert.Equal([64, 128], found["adapter.weight"]);
        Assert.Equal([256, 64], found["decoder.layers.2.ffn.fc1.weight"]);
    }

    [Fact]
    public void WhatIsSwitchedOffHasNoParameters()
    {
        var bare = Parameters(TinyClip.Config, new ModelConfig
        {
            Prompts = new PromptConfig { Vision = 0, Text = 0 },
            Decoder = new DecoderConfig { Attention = SelfAttention.None, Layers = 2 },
        });
        Assert.DoesNotContain(
            bare.Keys,
            name => name.Contains("shallow") || name.Contains("deep") || name.Contains("proj") || name.Contains("text") || name.Contains(".self."));
        Assert.Contains("visual.prompt.norm.weight", bare.Keys);
        Assert.DoesNotContain(bare.Keys, name => name.StartsWith("decoder.layers.2.", StringComparison.Ordinal));
    }

    // Its queries are class names: there is nothing that asks the patches of its window.
    [Fact]
    public void ClassQueriesHaveNoSelfAttention()
    {
        var found = Parameters(TinyClip.Config, new ModelConfig { Decoder = new DecoderConfig { Kind = DecoderKind.ClassQuery } });
        Assert.DoesNotContain(found.Keys, name => name.Contains(".self."));
        Assert.Contains("decoder.layers.2.cross.q.weight", found.Keys);
    }

    // The table of method.md 11.
    private static SortedDictionary<string, int[]> Published(int prompts)
    {
        var table = new SortedDictionary<string, int[]>(StringComparer.Ordinal)
        {
            ["visual.prompt.shallow"] = [prompts, 768],
            ["visual.prompt.deep"] = [11, prompts, 768],
            ["visual.prompt.proj.weight"] = [768, 768],
            ["visual.prompt.proj.bias"] = [768],
            ["visual.prompt.norm.weight"] = [768],
            ["visual.prompt.norm.bias"] = [768],
            ["text.prompt"] = [12, 4, 512],
            ["adapter.weight"] = [512, 1024],
            ["adapter.bias"] = [512],
        };
        for (int i = 0; i < 3; i++)
        {
            foreach (string attention in new[] { "self", "cross" })
            {
                foreach (string part in new[] { "q", "k", "v", "o" })
                {
                    table[$"decoder.layers.{i}.{attention}.{part}.weight"] = [512, 512];
                    table[$"decoder.layers.{i}.{attention}.{part}.bias"] = [512];
                }
            }

            table[$"decoder.layers.{i}.ffn.fc1.weight"] = [2048, 512];
            table[$"decoder.layers.{i}.ffn.fc1.bias"] = [2048];
            table[$"decoder.layers.{i}.ffn.fc2.weight"] = [512, 2048];
            table[$"decoder.layers.{i}.ffn.fc2.bias"] = [512];
            for (int norm = 1; norm <= 3; norm++)
            {
                table[$"decoder.layers.{i}.norm{norm}.weight"] = [512];
                table[$"decoder.layers.{i}.norm{norm}.bias"] = [512];
            }
        }

        return table;
    }

    private static SortedDictionary<string, int[]> Parameters(ClipConfig clipConfig, ModelConfig config)
    {
        using var device = new CpuDevice(1);
        using var clip = new ClipModel(new UnwrittenWeights(device), clipConfig);
        using var model = new LdvcModel(clip, config, new Initializer(device, 0), null);
        return new SortedDictionary<string, int[]>(
            model.Parameters().ToDictionary(p => p.Name, p => p.Parameter.Shape.ToArray()), StringComparer.Ordinal);
    }

    // Memory that nobody writes to costs nothing, so a ViT-B/16 is made at once.
    private sealed class UnwrittenWeights(Device device) : IWeightSource
    {
        public Parameter Get(string name, Shape shape, double std, float constant = 0) => new(device.Empty(shape));

        public Parameter GetProjection(string name, int outputs, int inputs, double std) => new(device.Empty(new Shape(outputs, inputs)));
    }
}
