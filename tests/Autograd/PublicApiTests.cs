using Ldvc.Autograd;
using Ldvc.Cases;
using Xunit;

namespace Ldvc.Tests.Autograd;

public class PublicApiTests
{
    // Who can build a tape and check gradients can also call what they are made of.
    [Fact]
    public void EveryOperationIsPublic()
    {
        foreach (var method in CaseCoverage.Operations(typeof(Tape).Assembly.GetTypes()))
        {
            Assert.True(method.IsPublic && method.DeclaringType!.IsPublic, $"{method.DeclaringType!.Name}.{method.Name}");
            Assert.All(method.GetParameters(), p => Assert.True(p.ParameterType.IsVisible, $"{method.Name}: {p}"));
        }
    }
}
