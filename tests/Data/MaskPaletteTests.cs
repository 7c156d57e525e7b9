using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Tests.Inspection;
using Xunit;

namespace Ldvc.Tests.Data;

/// <summary>Programs that reduce masks to palettes number the colours anew in each file, so that a number is another class in every mask.</summary>
public sealed class MaskPaletteTests
{
    // VOC's first colours in another order.
    private static readonly LabelPalette s_other = new([.. LabelPalette.Voc.Rgb[3..9], .. LabelPalette.Voc.Rgb[..3], .. LabelPalette.Voc.Rgb[9..]]);

    [Fact]
    public void PalettesThatDifferAreSaid()
    {
        using var data = new CheckFolder();
        Assert.Equal(0, data.Check().Code);
        Write(data, "b", s_other);
        (int code, string text, var json) = data.Check();
        Assert.Equal(1, code);
        string sentence = $"the palettes differ: the number 0 is the colour (0, 0, 0) in {data.At("masks", "a.png")} and (128, 0, 0) in "
            + $"{data.At("masks", "b.png")}, and the number is what counts";
        Assert.Contains($"warning: training: {sentence}", text);
        Assert.Equal("palettes-differ", Assert.Single(json.GetProperty("warnings").EnumerateArray()).GetProperty("kind").GetString());
        Assert.Contains(sentence, Assert.Single(MaskWarnings.Of(FolderDataset.Open(data.Root, "train"))));
        Assert.Empty(MaskWarnings.Of(FolderDataset.Open(data.Root, "val")));
    }

    // Greys say no more than the numbers, and colours of numbers that do not occur say nothing.
    [Fact]
    public void WhatSaysNothingIsNotCompared()
    {
        using var data = new CheckFolder();
        Write(data, "b", LabelPalette.BlackAndWhite);
        byte[] last = (byte[])LabelPalette.Voc.Rgb.Clone();
        last[3 * 7] ^= 1;
        Write(data, "c", new LabelPalette(last));
        Assert.Equal(0, data.Check().Code);
        Assert.Empty(MaskWarnings.Of(FolderDataset.Open(data.Root, "train")));
    }

    private static void Write(CheckFolder data, string id, LabelPalette palette) =>
        LabelWriter.Write(TinyData.Labels(12, 10, 0, 1, 2, 255), data.At("masks", id + ".png"), palette);
}
