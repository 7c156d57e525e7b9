namespace Ldvc.Synthetic;

/// <summary>What pretraining pictures look like; fractions are of the samples drawn.</summary>
internal sealed record CaptionOptions
{
    /// <summary>Columns and rows of a picture.</summary>
    public int Size { get; init; } = 64;

    /// <summary>Share of the batch made of groups of four that differ in one attribute only (or in how two objects share theirs).</summary>
    public double HardFraction { get; init; } = 0.5;

    /// <summary>Share of the free one-object samples whose caption leaves attributes out. Such a caption can fit other pictures of the batch too.</summary>
    public double PartialFraction { get; init; } = 0.1;

    /// <summary>Share of the free samples with two objects.</summary>
    public double TwoFraction { get; init; } = 0.3;

    /// <summary>Share of the free samples with three objects.</summary>
    public double ThreeFraction { get; init; } = 0.04;

    /// <summary>Share of the free samples that are a window of a scene four times as large.</summary>
    public double CropFraction { get; init; } = 0.06;

    /// <summary>The classes in pictures and captions, evenly.</summary>
    public SceneClass[] Classes { get; init; } = Vocabulary.AllClasses;
}
