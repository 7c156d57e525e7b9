using Ldvc.Configuration;

namespace Ldvc.Lab.Synthetic;

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

    /// <summary>Share of the free samples that are a window of a scene: of one four times as large, in scenes of one as the task has them.</summary>
    public double CropFraction { get; init; } = 0.06;

    /// <summary>
    /// Share of the windows whose caption names one of their objects and is silent on the others: only patches that show it can tell to which picture it belongs.
    /// No other caption of the batch is the name of an object in such a picture.
    /// </summary>
    public double OneFraction { get; init; }

    /// <summary>Share of the free samples of the "scenes" vocabulary that show stuff alone.</summary>
    public double StuffFraction { get; init; } = 0.08;

    /// <summary>Which world is drawn. In scenes, object sizes grow with the picture: those below are for 64 pixels.</summary>
    public SceneVocabulary Vocabulary { get; init; }

    /// <summary>The classes in pictures and captions, evenly.</summary>
    public SceneClass[] Classes { get; init; } = Synthetic.Vocabulary.AllClasses;

    /// <summary>A layout with what the vocabulary adds to it.</summary>
    internal SceneOptions Layout(SceneOptions layout)
    {
        if (Vocabulary == SceneVocabulary.Shapes)
        {
            return layout with { Size = Size };
        }

        float scale = Size / 64f;
        return layout with
        {
            Size = Size,
            MinSize = scale * layout.MinSize,
            MaxSize = scale * layout.MaxSize,
            MostGrounds = 2,
            MaxTilt = SceneSampler.LargeTilt,
        };
    }
}
