using Ldvc.Configuration;

namespace Ldvc.Lab.Synthetic;

/// <summary>What pretraining pictures look like: section pretrain.captions, and what does not stand in it.</summary>
/// <param name="Shares">Section pretrain.captions; its fractions are of the samples drawn. A caption that leaves attributes out can fit other
/// pictures of the batch too; one that names a single object of a window (`one`) fits no other: no other caption of the batch is the name of an
/// object in such a picture.</param>
/// <param name="Size">Columns and rows of a picture. In scenes, object sizes grow with it: they are given for 64 pixels.</param>
internal sealed record CaptionOptions(CaptionConfig Shares, int Size)
{
    /// <summary>The demo's captions.</summary>
    public static CaptionOptions Default { get; } = new(new CaptionConfig(), 64);

    /// <summary>Which world is drawn.</summary>
    public SceneVocabulary Vocabulary => Shares.Vocabulary;

    /// <summary>The classes in pictures and captions, evenly: all of the world.</summary>
    public SceneClass[] Classes { get; init; } =
        Shares.Vocabulary == SceneVocabulary.Shapes ? Synthetic.Vocabulary.AllClasses : Synthetic.Vocabulary.AllSceneClasses;

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
            Task = SceneTask.Of(Vocabulary),
            Size = Size,
            MinSize = scale * layout.MinSize,
            MaxSize = scale * layout.MaxSize,
            MaxGrounds = 2,
            MaxTilt = SceneSampler.LargeTilt,
        };
    }
}
