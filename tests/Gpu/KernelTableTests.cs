using System.Globalization;
using Ldvc.Kernels.Gpu;
using Ldvc.Tests.Configuration;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>The table of docs/kernels.md against the kernels that exist.</summary>
public class KernelTableTests
{
    [Fact]
    public void RowsSayWhatTheCatalogSays()
    {
        var kernels = GpuKernelCatalog.All.ToDictionary(kernel => kernel.Name);
        foreach (var (name, cells) in Rows())
        {
            Assert.True(kernels.TryGetValue(name, out var kernel), $"docs/kernels.md lists {name}, which does not exist");
            Assert.True(Number(cells[1]) == kernel.GroupSize, $"{name}: {cells[1]} threads in docs/kernels.md, {kernel.GroupSize} in the code");
            Assert.True(
                Number(cells[2]) == kernel.SharedBytes, $"{name}: {cells[2]} shared bytes in docs/kernels.md, {kernel.SharedBytes} in the code");
        }
    }

    [Theory]
    [InlineData("attention")]
    [InlineData("route_attention")]
    [InlineData("mask_loss")]
    [InlineData("resample")]
    [InlineData("segmentation")]
    [InlineData("matmul")]
    [InlineData("normalization")]
    [InlineData("elementwise")]
    [InlineData("tokens")]
    [InlineData("crossentropy")]
    [InlineData("reduction")]
    [InlineData("softmax")]
    [InlineData("indexing")]
    [InlineData("optimizer")]
    public void EveryPortableKernelHasARow(string family)
    {
        var listed = Rows().Select(row => row.Name).ToHashSet();
        var missing = GpuKernelCatalog.All.Where(
            kernel => kernel.Family == family && !kernel.CudaOnly && !listed.Contains(kernel.Name)).Select(kernel => kernel.Name);
        Assert.Empty(missing);
    }

    /// <summary>Rows of the tables: name and cells.</summary>
    internal static List<(string Name, string[] Cells)> Rows()
    {
        var rows = File.ReadLines(Path.Combine(ConfigFiles.Repository, "docs", "kernels.md"))
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal) && line.Contains('.'))
            .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries))
            .Where(cells => cells.Length >= 3 && cells[0].Contains('.'))
            .Select(cells => (cells[0], cells))
            .ToList();
        Assert.True(rows.Count > 20, "docs/kernels.md has no table of kernels");
        return rows;
    }

    private static int Number(string cell) => int.Parse(cell, CultureInfo.InvariantCulture);
}
