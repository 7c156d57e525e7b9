using System.Text.RegularExpressions;
using Xunit;

namespace Ldvc.Tests.Misuse;

/// <summary>What a refusal must look like.</summary>
internal static partial class Refusal
{
    /// <summary>Whether an error is one that callers may expect of wrong arguments.</summary>
    internal static bool IsKind(Exception e) => e is ArgumentException or ObjectDisposedException or InvalidOperationException;

    /// <summary>Its kind is right, and it names the operation and a shape, or the element type.</summary>
    internal static void Check(Exception e, string method, string what)
    {
        Assert.True(IsKind(e), $"{method}, {what}: {e}");
        string plain = Plain(e.Message);
        Assert.True(plain.Contains(Plain(method), StringComparison.Ordinal), $"{method}, {what}: the operation is not named in '{e.Message}'");
        Assert.True(
            Sizes().IsMatch(e.Message) || Plain(e.Message).StartsWith($"{Plain(method)}: value must", StringComparison.Ordinal),
            $"{method}, {what}: no shape in '{e.Message}'");
    }

    private static string Plain(string text) => text.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();

    [GeneratedRegex(@"\[[0-9, ]*\]")]
    private static partial Regex Sizes();
}
