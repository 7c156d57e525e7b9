using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Lab.Synthetic;

/// <summary>One picture to draw and the sentence for it.</summary>
/// <param name="Scene">What to draw.</param>
/// <param name="Caption">What is said of it.</param>
/// <param name="Key">Equal for samples that say the same thing in other words: the indices of the classes named.</param>
/// <param name="Unnamed">Further classes of the scene that a caption of one object leaves out, also those outside the window: no other picture of the
/// batch may be named by them.</param>
internal sealed record CaptionSample(Scene Scene, string Caption, string Key, params string[] Unnamed);

/// <summary>
/// Batches of (picture, caption) pairs for contrastive pretraining; a batch is a pure function of (options, seed, step, batch size). No two captions
/// of a batch mean the same. Groups of four hard negatives share all but one attribute, so that telling them apart needs every word.
/// </summary>
internal static class CaptionSampler
{
    /// <summary>Samples in a group of hard negatives.</summary>
    private const int GroupSize = 4;

    /// <summary>From this attempt on, two objects are drawn: there are enough pairs of classes for any batch, but only 256 single classes.</summary>
    private const int AttemptsBeforePairs = 6;

    /// <summary>
    /// Draws a batch: <paramref name="pictures"/> [batchSize, Size, Size, 3] (8-bit sRGB) and <paramref name="captions"/> [batchSize]. Pictures are
    /// drawn on
    /// <paramref name="threads"/> threads; the result does not depend on their number.
    /// </summary>
    public static void SampleBatch(
        ulong seed, long step, int batchSize, byte[] pictures, string[] captions, CaptionOptions? options = null, int threads = 1)
    {
        options ??= CaptionOptions.Default;
        int stride = 3 * options.Size * options.Size;
        if (pictures.LongLength < (long)batchSize * stride || captions.Length < batchSize)
        {
            throw new ArgumentException(
                $"expected room for {batchSize} pictures of {stride} bytes, got {pictures.LongLength} and {captions.Length} captions");
        }

        CaptionSample[] samples = SampleScenes(seed, step, batchSize, options);
        for (int i = 0; i < batchSize; i++)
        {
            captions[i] = samples[i].Caption;
        }

        if (threads <= 1)
        {
            for (int i = 0; i < batchSize; i++)
            {
                SceneRenderer.Render(samples[i].Scene, pictures.AsSpan(i * stride, stride), []);
            }

            return;
        }

        var parallel = new ParallelOptions { MaxDegreeOfParallelism = threads };
        Parallel.For(0, batchSize, parallel, i => SceneRenderer.Render(samples[i].Scene, pictures.AsSpan(i * stride, stride), []));
    }

    /// <summary>The batch's scenes and captions, not yet drawn.</summary>
    public static CaptionSample[] SampleScenes(ulong seed, long step, int batchSize, CaptionOptions options)
    {
        var samples = new CaptionSample[batchSize];
        HashSet<string> keys = new(batchSize), unnamed = [];
        var stepSeed = new CounterRandom(seed, (ulong)step);
        ulong batchSeed = stepSeed.NextBits();
        for (int start = 0; start < batchSize; start += GroupSize)
        {
            var groupRandom = new CounterRandom(batchSeed, (ulong)start << 32);
            bool hard = groupRandom.NextDouble() < options.Shares.Hard;
            SceneClass[][] group = hard ? HardNegatives.Draw(options.Classes, ref groupRandom) : [];
            for (int i = start; i < Math.Min(start + GroupSize, batchSize); i++)
            {
                ReadOnlySpan<SceneClass> given = hard ? group[i - start] : [];
                samples[i] = SampleOne(options, given, batchSeed, i, keys, unnamed);
            }
        }

        return samples;
    }

    private static CaptionSample SampleOne(
        CaptionOptions options, ReadOnlySpan<SceneClass> given, ulong seed, int index, HashSet<string> keys, HashSet<string> unnamed)
    {
        for (int attempt = 0; ; attempt++)
        {
            var random = new CounterRandom(seed, ((ulong)index << 32) | (uint)(attempt + 1));
            CaptionSample? sample = attempt == 0 && given.Length > 0
                ? Arrange(options, given, ref random)
                : Free(options, attempt >= AttemptsBeforePairs, ref random);
            if (sample is not null && !unnamed.Contains(sample.Key) && !keys.Overlaps(sample.Unnamed) && keys.Add(sample.Key))
            {
                unnamed.UnionWith(sample.Unnamed);
                return sample;
            }

            if (attempt > 10_000)
            {
                throw new InputException($"pretraining: no caption is left for sample {index} of a batch; expected a smaller pretrain.batch, or "
                    + "larger pictures (pretrain.vision.image) that scenes fit into.");
            }
        }
    }

    private static CaptionSample? Free(CaptionOptions options, bool pair, ref CounterRandom random)
    {
        double kind = pair ? options.Shares.Crop : random.NextDouble();
        if (kind < options.Shares.Crop)
        {
            return Crop(options, ref random);
        }

        kind -= options.Shares.Crop;
        if (options.Vocabulary != SceneVocabulary.Shapes && !pair && kind >= 1 - options.Shares.Crop - options.Shares.Stuff)
        {
            Scene empty = SceneSampler.Place(options.Layout(SceneOptions.Shapes), [], ref random);
            return new CaptionSample(
                empty, CaptionWriter.StuffAlone(empty.Ground!, ref random), "stuff " + string.Join(' ', empty.Ground!.Stuff.Order()));
        }

        int count = kind < options.Shares.Two ? 2 : kind < options.Shares.Two + options.Shares.Three ? 3 : 1;
        Span<SceneClass> classes = stackalloc SceneClass[count];
        foreach (ref SceneClass item in classes)
        {
            item = options.Classes[random.NextInt(options.Classes.Length)];
        }

        if (count > 1 || random.NextDouble() >= options.Shares.Partial)
        {
            return Arrange(options, classes, ref random);
        }

        Scene scene = SceneSampler.Place(SingleObject(options, ref random), classes, ref random);
        string caption = CaptionWriter.Partial(classes[0], scene, ref random);
        return new CaptionSample(scene, caption, caption);
    }

    /// <summary>Objects of the given classes, all named in full; null when they find no place.</summary>
    private static CaptionSample? Arrange(CaptionOptions options, ReadOnlySpan<SceneClass> classes, ref CounterRandom random)
    {
        SceneOptions layout = classes.Length switch
        {
            1 => SingleObject(options, ref random),
            2 => options.Layout(SceneOptions.Shapes with { MinSize = 24, MaxSize = 40, MaxOverlap = 0.2f, MaxCut = 0.3f }),
            _ => options.Layout(SceneOptions.Shapes with { MinSize = 22, MaxSize = 30, MaxOverlap = 0.15f, MaxCut = 0.2f }),
        };
        Scene scene = SceneSampler.Place(layout, classes, ref random);
        return scene.Objects.Length == classes.Length ? Describe(scene, scene.Objects, ref random) : null;
    }

    private static SceneOptions SingleObject(CaptionOptions options, ref CounterRandom random)
    {
        float cut = random.NextDouble() < 0.25 ? 0.7f : 0.1f;
        return options.Layout(SceneOptions.Shapes with { MinSize = 24, MaxSize = 52, MaxCut = cut });
    }

    /// <summary>
    /// A window of a larger scene. Every object that is half inside or more is named, or one of them; null unless there are one to three.
    /// </summary>
    private static CaptionSample? Crop(CaptionOptions options, ref CounterRandom random)
    {
        ulong seed = random.NextBits();
        SceneOptions layout = options.Vocabulary == SceneVocabulary.Shapes
            ? SceneOptions.Shapes with { Size = 2 * options.Size, Classes = options.Classes }
            : SceneOptions.Of(options.Vocabulary) with
            {
                Classes = options.Classes,
                Size = Math.Max(options.Size, SceneOptions.Of(options.Vocabulary).Size)
            };
        Scene large = SceneSampler.Sample(layout, seed, 0);
        Scene scene = large with
        {
            Width = options.Size,
            Height = options.Size,
            OriginX = random.NextInt(layout.Size - options.Size + 1),
            OriginY = random.NextInt(layout.Size - options.Size + 1),
        };
        PlacedObject[] inside = Array.FindAll(scene.Objects, o => IsInside(o, scene));
        if (inside.Length is < 1 or > 3)
        {
            return null;
        }

        if (options.Shares.One == 0 || random.NextDouble() >= options.Shares.One)
        {
            return Describe(scene, inside, ref random);
        }

        PlacedObject named = inside[random.NextInt(inside.Length)];
        string[] others = [.. scene.Objects.Select(o => o.Class).Where(c => c != named.Class).Select(c => KeyOf(c)).Distinct()];
        return Describe(scene, [named], ref random) with { Unnamed = others };
    }

    private static bool IsInside(PlacedObject placed, Scene scene)
    {
        float x = placed.X - scene.OriginX;
        float y = placed.Y - scene.OriginY;
        return x >= 0 && y >= 0 && x < scene.Width && y < scene.Height;
    }

    private static string KeyOf(params SceneClass[] classes) => string.Join(' ', classes.Select(c => c.Index).Order());

    private static CaptionSample Describe(Scene scene, PlacedObject[] objects, ref CounterRandom random)
    {
        PlacedObject[] order = [.. objects];
        random.Shuffle<PlacedObject>(order);
        return new CaptionSample(scene, CaptionWriter.Full(order, scene, ref random), KeyOf([.. order.Select(o => o.Class)]));
    }
}
