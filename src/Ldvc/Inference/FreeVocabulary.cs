using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Model;

namespace Ldvc.Inference;

/// <summary>A trained model and any list of names (method.md 9).</summary>
internal static class FreeVocabulary
{
    /// <summary>Encodes the names and prepares inference.</summary>
    /// <param name="checkpoint">Gives the windows of inference, and which names had masks in training.</param>
    /// <param name="loaded">The checkpoint's model.</param>
    /// <param name="classes">The classes; their order gives the indices.</param>
    internal static Segmenter CreateSegmenter(LdvcCheckpoint checkpoint, LoadedModel loaded, ClassList classes) =>
        new(loaded.Model, loaded.EmbedClasses(classes.Texts), Penalty(checkpoint, classes), checkpoint.Config.Eval, PictureStatistics.Of(checkpoint.Config.Data, loaded.Statistics), classes);

    /// <summary>The same with a CLIP alone: no class is held back, and the softmax is over all names.</summary>
    /// <param name="model">The CLIP.</param>
    /// <param name="config">Gives windows and scale.</param>
    /// <param name="eval">Gives what is left, as the number of windows at once.</param>
    /// <param name="classes">The classes; their order gives the indices.</param>
    internal static Segmenter CreateSegmenter(TrainingFreeModel model, TrainingFreeConfig config, EvalConfig eval, ClassList classes) =>
        new(model, model.EmbedClasses(classes.Texts), new float[classes.Texts.Length], config.Over(eval), model.Statistics, classes, (float)config.Scale);

    /// <summary>Whether masks of a class were shown in training, under any of its names.</summary>
    internal static bool IsSeen(IReadOnlySet<string> seen, ClassName name) => name.All.Any(seen.Contains);

    /// <summary>
    /// What is subtracted from the probability of each text. As in evaluation: the seen penalty favours unseen classes, so it is left out when there are none.
    /// </summary>
    internal static float[] Penalty(LdvcCheckpoint checkpoint, ClassList classes)
    {
        bool[] seen = [.. classes.Classes.Select(name => IsSeen(checkpoint.Seen, name))];
        bool applies = checkpoint.Config.Train.Setting == TrainSetting.Inductive && !seen.All(s => s);
        float penalty = applies ? (float)checkpoint.Config.Eval.SeenPenalty : 0;
        return [.. classes.Owners.Select(id => seen[id] ? penalty : 0)];
    }
}
