using Ldvc.Autograd;
using Ldvc.Cases;
using Xunit;

namespace Ldvc.Tests.Autograd;

public class PublicApiTests
{
    // For the model alone: several operations in one, which compute what public ones compute one after the other, and overloads for a part of a
    // batch.
    private static readonly string[] Joined =
        ["AddLayerNorm", "AttentionTo", "Dropout", "DropoutEach", "JoinedLinear", "MaskLoss", "SelfRouteAttention", "SpliceRow"];

    // Who can build a tape and check gradients can also call what they are made of.
    [Fact]
    public void EveryOperationIsPublic()
    {
        var methods = CaseCoverage.Operations(typeof(Tape).Assembly.GetTypes()).ToArray();
        Assert.Empty(Joined.Except(methods.Where(method => !method.IsPublic).Select(method => method.Name)));
        foreach (var method in methods.Where(method => method.IsPublic || !Joined.Contains(method.Name)))
        {
            Assert.True(method.IsPublic && method.DeclaringType!.IsPublic, $"{method.DeclaringType!.Name}.{method.Name}");
            Assert.All(method.GetParameters(), p => Assert.True(p.ParameterType.IsVisible, $"{method.Name}: {p}"));
        }
    }
}
