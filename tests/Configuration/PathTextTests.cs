using Ldvc.Configuration;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Configuration;

/// <summary>Paths with "~" and variables in them.</summary>
public sealed class PathTextTests
{
    [Fact]
    public void TheHomeFolderIsPutIn()
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        Assert.Equal(home, PathText.Expand("~", "--out"));
        Assert.Equal(home + "/a b/c", PathText.Expand("~/a b/c", "--out"));
    }

    [Theory]
    [InlineData("~bob")]
    [InlineData("~lock.png")]
    [InlineData("./~bob/x")]
    [InlineData("a/~bob/x")]
    [InlineData("~old*/x.png")]
    [InlineData("~?/x.png")]
    public void OtherTildesAreParts(string path) => Assert.Equal(path, PathText.Expand(path, "--out"));

    [Theory]
    [InlineData("~bob/x")]
    [InlineData("~bob/x/*.png")]
    public void AnotherUsersFolderIsRefused(string path) => Assert.Equal(
        "--out: the home folder of another user, '~bob', is not looked up; expected the whole path, or ./" + path + " for a folder of that name.",
        Assert.Throws<InputException>(() => PathText.Expand(path, "--out")).Message);
}
