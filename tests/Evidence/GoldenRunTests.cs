using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Ldvc.Kernels.Simd;
using Ldvc.Lab.Demo;
using Ldvc.Lab.Evidence;
using Ldvc.Tests.Configuration;
using Xunit;

namespace Ldvc.Tests.Evidence;

/// <summary>
/// Whoever changes what training computes, be it the order of a sum, says so: results/bits.json is compared with a run of fifty steps.
/// </summary>
[Collection("simd")]
public sealed class GoldenRunTests
{
    public static TheoryData<int> Widths => [.. GoldenRun.Widths];

    [Theory]
    [MemberData(nameof(Widths))]
    public void TheGoldenRunEndsWithTheRecordedBits(int width)
    {
        Assert.SkipUnless(BitsHistory.IsOfThisPlatform, "the bits are those of x64 with FMA, on Linux");
        string? recorded = BitsHistory.Own.Here(width);
        string hash = GoldenRun.Hash(Path.Combine(DemoAssets.Find()!, DemoAssets.Clip), width);
        Assert.True(
            hash == recorded,
            $"training at {width} bits{(BitsHistory.IsEmulated(width) ? " without AVX-512" : "")} ends with {hash}, results/bits.json says "
            + $"{recorded ?? "nothing"}: the arithmetic is another one. If that is meant, "
            + "run 'dotnet run -c Release --project bench -- bits --reason TEXT' and commit the file together with the change (CONTRIBUTING.md)");
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void ResultsOfOtherVectorsAndPlatformsHaveANameOfTheirOwn(int width)
    {
        int before = SimdLevel.Bits;
        SimdLevel.Bits = width;
        try
        {
            string platform = OperatingSystem.IsLinux() && Fma.IsSupported ? "" : "-" + RuntimeInformation.RuntimeIdentifier;
            string expected = BitsHistory.Own.Id + (width == 512 && !Avx512F.IsSupported ? "-without-avx-512" : "") + platform;
            Assert.Equal((expected, width), (Origin.Here.Bits, Origin.Here.VectorBits));
        }
        finally
        {
            SimdLevel.Bits = before;
        }
    }

    [Fact]
    public void TheHistoryIsThatOfTheRepository()
    {
        BitsHistory file = BitsHistory.Read(Path.Combine(ConfigFiles.Repository, "results", BitsHistory.FileName));
        Assert.Equal(file.Current.Id, BitsHistory.Own.Id);

        // Measured with DOTNET_EnableAVX512=0, or where there is none: who has no AVX-512 runs the tests, too.
        Assert.True(
            file.Current.Emulated is { Length: 16 }, "run 'DOTNET_EnableAVX512=0 dotnet run -c Release --project bench -- bits --reason TEXT'");
        Assert.DoesNotContain(file.Current.Emulated, file.Current.Hashes.Values);
        Assert.All(file.Changes, change =>
        {
            Assert.Equal(GoldenRun.Widths.Select(width => $"{width}"), change.Hashes.Keys);
            Assert.Equal(3, change.Hashes.Values.Distinct().Count());
            Assert.True(change.Reason.Length > 10);
        });
        Assert.Equal(file.Changes.OrderBy(change => change.Date, StringComparer.Ordinal), file.Changes);
        Assert.Equal(file.Changes.Length, file.Changes.Select(change => change.Id).Distinct().Count());
    }
}
