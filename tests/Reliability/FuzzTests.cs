using Ldvc.Fuzz;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Reliability;

/// <summary>A hundred and fifty damaged files for every parser; `bench -- fuzz` tries any number.</summary>
public sealed class FuzzTests
{
    private const int Inputs = 150;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static readonly IReadOnlyList<FuzzParser> s_parsers = FuzzParsers.All(TestFiles.Data());

    public static TheoryData<string> Parsers => [.. s_parsers.Select(parser => parser.Name)];

    [Theory]
    [MemberData(nameof(Parsers))]
    public void DamagedFilesAreReadOrRefusedWithinTheBound(string name)
    {
        using var folder = new TempFolder();
        FuzzResult result = FuzzRun.Run(s_parsers.Single(parser => parser.Name == name), Inputs, seed: 18, folder.Root, Token);
        Assert.True(result.Crashes.Count == 0, string.Join("\n",
            result.Crashes.Select(crash => $"{crash.Error}\n{Convert.ToHexString(crash.Input.AsSpan(0, Math.Min(crash.Input.Length, 2000)))}")));
        Assert.Equal((Inputs, 0), (result.Inputs, result.Beyond));
    }

    /// <summary>A parser that throws something else would be seen, and one that takes too much.</summary>
    [Fact]
    public void FaultsAreSeen()
    {
        using var folder = new TempFolder();
        var faulty = new FuzzParser("faulty", "x", [[1, 2, 3]], FuzzMutator.Bytes, input => _ = input.Bytes is [1, 2, 3] ? 0 : input.Bytes[100]);
        FuzzResult result = FuzzRun.Run(faulty, 100, 1, folder.Root, Token);
        Assert.True(result.CrashCount > 0);
        Assert.IsType<IndexOutOfRangeException>(Assert.Single(result.Crashes).Error);
        var greedy = new FuzzParser("greedy", "x", [[1]], FuzzMutator.Bytes, _ => GC.KeepAlive(new byte[1 << 20])) { FreeBytes = 1 << 16 };
        Assert.Equal(10, FuzzRun.Run(greedy, 10, 1, folder.Root, Token).Beyond);
        Assert.Equal(FuzzRun.Run(faulty, 100, 1, folder.Root, Token).CrashCount, result.CrashCount);
    }
}
