using System.Text.RegularExpressions;
using Ldvc.Tests.Configuration;
using Xunit;

namespace Ldvc.Tests.Comparison;

/// <summary>The scripts in tools/, as far as they can be checked without PyTorch.</summary>
public sealed partial class ToolTests
{
    // A renamed member of a shared class ends the other script with an AttributeError, which no build tells.
    [Fact]
    public void WhatOneScriptTakesFromAnotherIsThere()
    {
        string shared = File.ReadAllText(Path.Combine(ConfigFiles.Repository, "tools", "make_reference.py"));
        string user = File.ReadAllText(Path.Combine(ConfigFiles.Repository, "tools", "make_ldvc_reference.py"));
        string clip = shared[shared.IndexOf("class Clip:", StringComparison.Ordinal)..];
        string[] used = [.. Used().Matches(user).Select(match => match.Groups[1].Value).Distinct()];
        Assert.True(used.Length >= 8, string.Join(", ", used));
        Assert.All(used, name => Assert.Matches($@"def {name}\(self|self\.{name}\b[^=\n]*=[^=]", clip));
    }

    [GeneratedRegex(@"\bclip\.([a-z_]+)")]
    private static partial Regex Used();
}
