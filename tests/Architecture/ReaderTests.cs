using Xunit;

namespace Ldvc.Tests.Architecture;

/// <summary>The reader and the rules find what they are there to find: on the types below Example, which break them on purpose.</summary>
public sealed class ReaderTests
{
    private const string Example = "Ldvc.Tests.Architecture.Example";

    [Fact]
    public void ACycleIsNamedWithAMemberForEachEdge()
    {
        using CompiledAssembly tests = Open();
        string[] pair = [$"{Example}.Left", $"{Example}.Right"];
        Assert.Contains(NamespaceCycles.Groups(tests.Uses), group => group.SequenceEqual(pair));
        string[] cycle = [.. NamespaceCycles.Shortest(tests.Uses, pair).Select(use => use.ToString())];
        Assert.Equal(
            [$"{Example}.Left.Caller.<>c.Call uses {Example}.Right.Callee", $"{Example}.Right.Callee uses {Example}.Left.Caller"],
            cycle);
    }

    [Fact]
    public void OneWayIsNoCycle()
    {
        using CompiledAssembly tests = Open();
        Assert.Contains(tests.Uses, use => use.From == $"{Example}.Above" && use.To == $"{Example}.Below");
        Assert.DoesNotContain(NamespaceCycles.Groups(tests.Uses), group => group.Contains($"{Example}.Above"));
    }

    [Fact]
    public void AParentAndItsChildAreACycleToo()
    {
        Use down = new("A", "T.M", "", "A.B", "U"), up = new("A.B", "U.M", "", "A", "T"), outside = new("A.B", "U.M", "Other", "A", "T");
        Assert.Equal([["A", "A.B"]], NamespaceCycles.Groups([down, up]));
        Assert.Empty(NamespaceCycles.Groups([down, outside]));
        Assert.Equal([down, up], NamespaceCycles.Shortest([down, up], ["A", "A.B"]));
    }

    [Theory]
    [InlineData("Signature")]
    [InlineData("Body")]
    [InlineData("Generic")]
    [InlineData("Caught")]
    [InlineData("Attributed")]
    [InlineData("FromLambda")]
    [InlineData("Iterated")]
    public void EveryPlaceWhereATypeIsNamedIsSeen(string member)
    {
        using CompiledAssembly tests = Open();
        Assert.Contains(
            tests.Uses,
            use => use.From == $"{Example}.Above" && use.Member.Contains(member, StringComparison.Ordinal) && use.To == $"{Example}.Below");
    }

    [Fact]
    public void UpwardReferencesAndRuntimesAreFound()
    {
        Assert.Equal(["Ldvc.Lab"], ArrowRules.Upward("Ldvc.Core", ["Ldvc.Tensor", "Ldvc.Lab", "System.Runtime"]));
        Assert.Empty(ArrowRules.Upward("ldvc", ArrowRules.Layers[..^1]));
        Assert.Equal(
            ["TorchSharp", "Microsoft.ML.OnnxRuntime/1.2"],
            ArrowRules.DeepLearning(["TorchSharp", "Microsoft.ML.Tokenizers", "Microsoft.ML.OnnxRuntime/1.2"]));
    }

    [Fact]
    public void TypesOfOtherAssembliesAreSeen()
    {
        using CompiledAssembly tests = Open();
        Assert.Contains("xunit.v3.core", tests.References);
        Assert.Contains(ArrowRules.Of(tests.Uses, "Ldvc.Core"), use => use.To == "Ldvc.Configuration");
        Assert.NotEmpty(ArrowRules.Of(tests.Uses, "ILGPU"));
    }

    private static CompiledAssembly Open() => new(typeof(ReaderTests).Assembly.Location);
}
