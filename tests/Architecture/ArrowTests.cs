using System.Text.Json;
using Xunit;

namespace Ldvc.Tests.Architecture;

/// <summary>
/// Arrows between assemblies, and between the namespaces of one, point one way (docs/architecture.md). Read from the compiled files.
/// </summary>
public sealed class ArrowTests
{
    public static TheoryData<string> Layers => [.. ArrowRules.Layers];

    [Theory]
    [MemberData(nameof(Layers))]
    public void AnAssemblyRefersToLowerOnesAlone(string layer)
    {
        using CompiledAssembly assembly = Open(layer);
        Assert.Equal(layer, assembly.Name);
        Assert.Empty(ArrowRules.Upward(layer, assembly.References));
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void NamespacesOfOneAssemblyDoNotUseEachOther(string layer)
    {
        using CompiledAssembly assembly = Open(layer);
        foreach (string[] group in NamespaceCycles.Groups(assembly.Uses))
        {
            Assert.Fail($"{layer}: a cycle among {string.Join(", ", group)}:\n{string.Join("\n", NamespaceCycles.Shortest(assembly.Uses, group))}");
        }
    }

    [Fact]
    public void TheArrowsThatAreThereAreSeen()
    {
        using CompiledAssembly core = Open("Ldvc.Core"), lab = Open("Ldvc.Lab");
        Assert.Contains(core.Uses, use => use is { From: "Ldvc.Training", To: "Ldvc.Inference", Assembly: "" });
        Assert.Contains(core.Uses, use => use is { From: "Ldvc.Clip.Tokenization", Assembly: "Microsoft.ML.Tokenizers" });
        Assert.Contains(lab.Uses, use => use is { From: "Ldvc.Lab.Demo", To: "Ldvc.Lab.Ablation" });
        Assert.Contains("Ldvc.Autograd", core.References);
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void IlgpuIsSeenInTensorAndKernelsAlone(string layer)
    {
        using CompiledAssembly assembly = Open(layer);
        IEnumerable<Use> uses = ArrowRules.Of(assembly.Uses, "ILGPU");
        if (layer is "Ldvc.Tensor" or "Ldvc.Kernels")
        {
            Assert.NotEmpty(uses);
            return;
        }

        Assert.Empty(uses);
        Assert.DoesNotContain(assembly.References, name => name.StartsWith("ILGPU", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void ConsoleAndServerBelongToTheProgram(string layer)
    {
        using CompiledAssembly assembly = Open(layer);
        string[] programs = ["System.CommandLine", "Spectre.Console", "Microsoft.AspNetCore"];
        foreach (string name in programs)
        {
            Assert.Equal(layer == "ldvc", ArrowRules.Of(assembly.Uses, name).Any());
        }
    }

    [Fact]
    public void NoDeepLearningRuntimeIsReferredToOrShipped()
    {
        foreach (string layer in ArrowRules.Layers)
        {
            using CompiledAssembly assembly = Open(layer);
            Assert.Empty(ArrowRules.DeepLearning(assembly.References));
        }

        // Packages without a managed assembly leave no reference behind.
        using JsonDocument shipped = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "ldvc.deps.json")));
        string[] packages = [.. shipped.RootElement.GetProperty("libraries").EnumerateObject().Select(library => library.Name)];
        Assert.Contains(packages, name => name.StartsWith("ILGPU/", StringComparison.Ordinal));
        Assert.Empty(ArrowRules.DeepLearning(packages));
    }

    private static CompiledAssembly Open(string layer) => new(Path.Combine(AppContext.BaseDirectory, layer + ".dll"));
}
