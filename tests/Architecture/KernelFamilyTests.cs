using Ldvc.Kernels.Gpu;
using Ldvc.Tests.Configuration;
using Xunit;

namespace Ldvc.Tests.Architecture;

/// <summary>
/// Families of kernels have one shape (docs/architecture.md): the contract and every choice of tile, group, split and precision on top, devices
/// below.
/// </summary>
public sealed class KernelFamilyTests
{
    // What families share: the set of a device, the launcher, vectors, and how label maps are stored.
    private static readonly string[] Shared = ["Devices", "Gpu", "Labels", "Simd"];

    private static readonly string[] Devices = ["Cpu", "Gpu", "TensorCore"];

    // Numbers below the top that choose nothing: sizes of things, bits of flags, and a padding that spreads rows over banks.
    private static readonly string[] Facts =
    [
        "Attention/Cpu/CpuScratch.cs: Line = 16",
        "Attention/Gpu/GpuAttentionKernelSet.cs: Quad = 16",
        "MatMul/TensorCore/TensorCoreEpilogue.cs: HasBias = 1",
        "MatMul/TensorCore/TensorCoreEpilogue.cs: HasPreActivation = 2",
        "MatMul/TensorCore/TensorCoreEpilogue.cs: HasResidual = 4",
        "MatMul/TensorCore/TensorCoreEpilogue.cs: HasGradient = 8",
        "MatMul/TensorCore/TensorCoreEpilogue.cs: Accumulates = 16",
        "MatMul/TensorCore/TensorCoreEpilogue.cs: HasQuads = 32",
        "MatMul/TensorCore/TensorCoreEpilogue.cs: RoundsC = 64",
        "MatMul/TensorCore/TensorCoreEpilogue.cs: RoundsPreActivation = 128",
        "MatMul/TensorCore/TensorCoreEpilogue.cs: WidensGradient = 256",
        "MatMul/TensorCore/TensorCoreEpilogue.cs: Unscales = 512",
        "MatMul/TensorCore/TensorCoreEpilogue.cs: Padding = 8",
        "MatMul/TensorCore/TensorCoreNumbers.cs: ChunkValues = 8",
        "MatMul/TensorCore/TensorCoreNumbers.cs: ChunkValues = 4",
    ];

    private static string Kernels => Path.Combine(ConfigFiles.Repository, "src", "Kernels");

    public static TheoryData<string> Families => [.. Folders];

    private static IEnumerable<string> Folders =>
        Directory.EnumerateDirectories(Kernels).Select(folder => Path.GetFileName(folder)!).Except([.. Shared, "bin", "obj"]);

    [Theory]
    [MemberData(nameof(Families))]
    public void ContractAndChoicesLieOnTop(string family)
    {
        string folder = Path.Combine(Kernels, family);
        Assert.Single(Directory.EnumerateFiles(folder, "I*Kernels.cs"));
        Assert.True(File.Exists(Path.Combine(folder, family + "Plan.cs")), $"src/Kernels/{family}: expected {family}Plan.cs with its choices");
        string[] below = [.. Directory.EnumerateDirectories(folder).Select(path => Path.GetFileName(path)!)];
        Assert.Superset(new HashSet<string> { "Cpu", "Gpu" }, below.ToHashSet());

        // The element-wise functions are written for all devices in one file each.
        Assert.Empty(below.Except(Devices).Except(family == "Elementwise" ? ["Functions"] : []));
    }

    [Fact]
    public void NoChoiceLiesBelow()
    {
        string[] found = [.. Folders.SelectMany(family => Devices.SelectMany(device => In(Path.Combine(Kernels, family, device))))];
        Assert.Empty(found.Except(Facts));
        Assert.Empty(Facts.Except(found));
    }

    // Folders without a contract hold no kernels of their own, or those of all families.
    [Fact]
    public void EveryKernelBelongsToAFamily()
    {
        string[] families = [.. Folders.Select(family => family.ToLowerInvariant()), "gpu"];
        Assert.Empty(GpuKernelCatalog.All.Select(kernel => kernel.Family.Replace("_", "", StringComparison.Ordinal)).Distinct().Except(families));
        Assert.All(Shared, folder => Assert.Empty(Directory.EnumerateFiles(Path.Combine(Kernels, folder), "I*Kernels.cs")));
    }

    [Theory]
    [InlineData("private const int GroupSize = 256;", "GroupSize = 256")]
    [InlineData("internal const long Floats = 36 * 1024;", "Floats = 36 * 1024")]
    [InlineData("public static int Rows => 12;", "Rows = 12")]
    [InlineData("const int Bytes = 8 * 17 * sizeof(float);", "Bytes = 8 * 17 * sizeof(float)")]
    [InlineData("const int Quad = 16, Walk = (Tile.Walk * Quad) + F(2, 3);", "Quad = 16")]
    [InlineData("new(\"matmul.64\", Run, 128) { GroupsPerMultiprocessor = 2 }", "GroupsPerMultiprocessor = 2", "128")]
    [InlineData("int slabs = Math.Clamp(rows / 64L, 1, 16); // of 512", "64")]
    [InlineData("private const int GroupSize = SoftmaxPlan.GpuThreads, Floats = GroupSize + 16;")]
    [InlineData("float gelu = 1.702f * 88f; int lane = x & 0x7F800000; var s = $\"{x} of 4096\"; /* 256 */ static int Rows() => Plan.Rows + 8;")]
    [InlineData("private const int Infinity = 0x7F800000; case 'x': place + 31; key >> 32;")]
    public void ChoicesAreSeen(string text, params string[] expected) => Assert.Equal(expected, SourceChoices.In(text));

    // The problems on which a kernel is checked on first use are no choices of the kernel.
    private static IEnumerable<string> In(string folder) => !Directory.Exists(folder)
        ? []
        : Directory.EnumerateFiles(folder, "*.cs").Where(file => !Path.GetFileName(file).StartsWith("Checked", StringComparison.Ordinal))
            .SelectMany(file => SourceChoices.In(File.ReadAllText(file))
                .Select(choice => $"{Path.GetRelativePath(Kernels, file).Replace(Path.DirectorySeparatorChar, '/')}: {choice}"));
}
