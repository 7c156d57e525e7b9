namespace Ldvc.Configuration;

/// <summary>Section augment: what a training image goes through, in this order (method.md 8).</summary>
public sealed record AugmentConfig
{
    /// <summary>Box (long side, short side) an image is fitted into, keeping its aspect, before the random ratio.</summary>
    [Option("Box (long side, short side) an image is fitted into, keeping its aspect, before the random ratio.", Length = 2, Min = 1, Max = 65536)]
    public int[] Scale { get; init; } = [2048, 512];

    /// <summary>The short side is exactly the box's, however long the other one gets.</summary>
    [Option("The short side is exactly the box's, however long the other one gets.")]
    public bool ExactShortSide { get; init; }

    /// <summary>Range of the random ratio on that box; [1, 1] = off.</summary>
    [Option("Range of the random ratio on that box; [1, 1] = off.", Length = 2, Min = 0, Above = true, Max = 100)]
    public double[] Ratio { get; init; } = [0.5, 2.0];

    /// <summary>Columns and rows of the random crop (smaller images are padded).</summary>
    [Option("Columns and rows of the random crop (smaller images are padded).", Min = 16, Max = 8192)]
    public int Crop { get; init; } = 512;

    /// <summary>A crop is drawn again when one class covers this share of its labelled pixels or more; 1 = never.</summary>
    [Option("A crop is drawn again when one class covers this share of its labelled pixels or more; 1 = never.", Min = 0, Above = true, Max = 1)]
    public double CatMaxRatio { get; init; } = 0.75;

    /// <summary>Maximum number of times that a crop is drawn again.</summary>
    [Option("Maximum number of times that a crop is drawn again.", Min = 1, Max = 1000)]
    public int CropTries { get; init; } = 10;

    /// <summary>Probability of a left-right flip.</summary>
    [Option("Probability of a left-right flip.", Min = 0, Max = 1)]
    public double Flip { get; init; } = 0.5;

    /// <summary>Largest brightness shift, in grey levels of 255; 0 = off.</summary>
    [Option("Largest brightness shift, in grey levels of 255; 0 = off.", Min = 0, Max = 255)]
    public double Brightness { get; init; } = 32;

    /// <summary>Range of the contrast factor; [1, 1] = off.</summary>
    [Option("Range of the contrast factor; [1, 1] = off.", Length = 2, Min = 0, Max = 100)]
    public double[] Contrast { get; init; } = [0.5, 1.5];

    /// <summary>Range of the saturation factor; [1, 1] = off.</summary>
    [Option("Range of the saturation factor; [1, 1] = off.", Length = 2, Min = 0, Max = 100)]
    public double[] Saturation { get; init; } = [0.5, 1.5];

    /// <summary>Largest hue shift, in steps of 2 degrees; 0 = off.</summary>
    [Option("Largest hue shift, in steps of 2 degrees; 0 = off.", Min = 0, Max = 90)]
    public int Hue { get; init; } = 18;

    /// <summary>Whether colours are distorted at all.</summary>
    internal bool Photometric => Brightness > 0 || Hue > 0 || Contrast is not [1, 1] || Saturation is not [1, 1];
}
