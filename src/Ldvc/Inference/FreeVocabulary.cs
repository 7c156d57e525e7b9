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
    /// <param name="adapt">Changes section eval; null = as it is.</param>
    /// <param name="ignored">So many classes at the end of the list are computed and then count as no label.</param>
    internal static Segmenter CreateSegmenter(
        LdvcCheckpoint checkpoint, LoadedModel loaded, ClassList classes, Func<EvalConfig, EvalConfig>? adapt = null,
        int ignored = 0) => Prepare(checkpoint, loaded, classes, adapt, ignored, CancellationToken.None);

    /// <summary>As above; the encoding may be ended between two batches of names.</summary>
    internal static Segmenter Prepare(
        LdvcCheckpoint checkpoint, LoadedModel loaded, ClassList classes, Func<EvalConfig, EvalConfig>? adapt, int ignored,
            CancellationToken cancellation)
    {
        EvalConfig eval = adapt?.Invoke(checkpoint.Config.Eval) ?? checkpoint.Config.Eval;
        return new(loaded.Model, loaded.EncodeClasses(classes.Texts, cancellation), Penalty(checkpoint, classes, eval.SeenPenalty), eval,
            PictureStatistics.Of(checkpoint.Config.Data, loaded.Statistics), classes, ignored: ignored);
    }

    /// <summary>The same with a CLIP alone: no class is held back, and the softmax is over all names.</summary>
    /// <param name="model">The CLIP.</param>
    /// <param name="config">Gives windows and scale.</param>
    /// <param name="eval">Gives what is left, as the number of windows at once.</param>
    /// <param name="classes">The classes; their order gives the indices.</param>
    /// <param name="adapt">Changes section eval; null = as it is.</param>
    /// <param name="ignored">So many classes at the end of the list are computed and then count as no label.</param>
    internal static Segmenter CreateSegmenter(
        TrainingFreeModel model, TrainingFreeConfig config, EvalConfig eval, ClassList classes, Func<EvalConfig, EvalConfig>? adapt = null,
            int ignored = 0) =>
        Prepare(model, config, eval, classes, adapt, ignored, CancellationToken.None);

    /// <summary>As above; the encoding may be ended between two batches of names.</summary>
    internal static Segmenter Prepare(
        TrainingFreeModel model, TrainingFreeConfig config, EvalConfig eval, ClassList classes, Func<EvalConfig, EvalConfig>? adapt, int ignored,
            CancellationToken cancellation)
    {
        eval = config.Over(eval);
        eval = adapt?.Invoke(eval) ?? eval;
        return new(
            model,
            model.EmbedClasses(classes.Texts, cancellation),
            new float[classes.Texts.Length],
            eval,
            model.Statistics,
            classes,
            (float)config.Scale,
            ignored);
    }

    /// <summary>Whether masks of a class were shown in training, under any of its names.</summary>
    internal static bool IsSeen(IReadOnlySet<string> seen, ClassName name) => name.All.Any(seen.Contains);

    /// <summary>
    /// What is subtracted from the probability of each text. As in evaluation: the seen penalty favours unseen classes, so it is left out when there
    /// are none.
    /// </summary>
    /// <param name="checkpoint">Says which names had masks in training.</param>
    /// <param name="classes">The classes.</param>
    /// <param name="asked">The penalty; null = eval.seen_penalty of the checkpoint.</param>
    internal static float[] Penalty(LdvcCheckpoint checkpoint, ClassList classes, double? asked = null)
    {
        bool[] seen = [.. classes.Classes.Select(name => IsSeen(checkpoint.Seen, name))];
        bool applies = checkpoint.Config.Train.Setting == TrainSetting.Inductive && !seen.All(s => s);
        float penalty = applies ? (float)(asked ?? checkpoint.Config.Eval.SeenPenalty) : 0;
        return [.. classes.Owners.Select(id => seen[id] ? penalty : 0)];
    }
}
