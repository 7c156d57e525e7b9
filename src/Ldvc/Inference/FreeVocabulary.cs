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
    /// <param name="names">Class names; their order gives the indices.</param>
    internal static Segmenter CreateSegmenter(LdvcCheckpoint checkpoint, LoadedModel loaded, string[] names) =>
        new(loaded.Model, loaded.EmbedClasses(names), Penalty(checkpoint, names), checkpoint.Config.Eval, PictureStatistics.Of(checkpoint.Config.Data));

    // As in evaluation: the seen penalty favours unseen classes, so it is left out when there are none.
    private static float[] Penalty(LdvcCheckpoint checkpoint, string[] names)
    {
        bool applies = checkpoint.Config.Train.Setting == TrainSetting.Inductive && !names.All(checkpoint.Seen.Contains);
        float penalty = applies ? (float)checkpoint.Config.Eval.SeenPenalty : 0;
        return [.. names.Select(name => checkpoint.Seen.Contains(name) ? penalty : 0)];
    }
}
