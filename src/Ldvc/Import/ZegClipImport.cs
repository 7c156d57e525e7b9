using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Inference;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Import;

/// <summary>
/// From a checkpoint of ZegCLIP to one of ours. The frozen CLIP in the file is compared with the user's and left out; what was trained gets our
/// names; the configuration is the published recipe with the sizes found in the tensors and what mmcv's notes say.
/// </summary>
internal sealed class ZegClipImport
{
    private const int PublishedWindow = 512;
    private const int PublishedStride = 426;

    // Keys that --set may change: how pictures are labelled and where data lies, and what no tensor tells.
    private static readonly string[] Settable = ["eval.", "data.", "model.template", "model.decoder.heads"];

    // Keys under data that other options decide, or nothing does.
    private static readonly (string Key, string Instead)[] s_elsewhere =
    [
        ("data.unseen", "--unseen NAMES"), ("data.classes", "--classes-file FILE"),
        ("data.kind", "no such key, since the class names tell the data set"),
        ("data.variant", "no such key, since the class names tell the data set"),
    ];

    private ZegClipImport(ZegClipClasses classes, LdvcConfig config, int step, SafetensorsWriter writer) =>
        (Classes, Config, Step, Writer) = (classes, config, step, writer);

    /// <summary>Classes, split and setting.</summary>
    internal ZegClipClasses Classes { get; }

    /// <summary>The configuration that the checkpoint gets.</summary>
    internal LdvcConfig Config { get; }

    /// <summary>Iterations that it was trained for; 0 when the file does not say.</summary>
    internal int Step { get; }

    /// <summary>The checkpoint, to be saved.</summary>
    internal SafetensorsWriter Writer { get; }

    /// <summary>Reads and checks everything.</summary>
    /// <param name="request">What to import.</param>
    /// <param name="device">Where the CLIP is loaded.</param>
    /// <exception cref="InputException">A file is bad, the CLIP is another one, or something is not known.</exception>
    internal static ZegClipImport Run(ImportRequest request, Device device)
    {
        if (request.Sets.FirstOrDefault(set => !Settable.Any(key => set.TrimStart().StartsWith(key, StringComparison.Ordinal))) is { } other)
        {
            throw new InputException(
                $"--set {ConfigText.Quote(other)}: expected a key under eval or data, model.template or model.decoder.heads; the rest is in the "
                    + "file.");
        }

        foreach ((string key, string instead) in s_elsewhere)
        {
            if (request.Sets.FirstOrDefault(set => set.Split('=')[0].Trim() == key) is { } stated)
            {
                throw new InputException($"--set {ConfigText.Quote(stated)}: expected {instead}: {key} is only kept in the checkpoint.");
            }
        }

        using ZegClipFile file = ZegClipFile.Open(request.File);
        ZegClipClasses classes = ZegClipClasses.Find(request, file.Notes, file.TrainedClasses);
        ClassEmbeddings? embeddings = request.Embeddings is { } npy ? ClassEmbeddings.Read(npy, classes.Classes) : null;
        int grid = FrozenClip.Grid(file.Archive);
        LdvcConfig config = Describe(request, file, classes, grid);

        // Compared before anything is built on it: another CLIP has other sizes. What is trained comes from the file, so that nothing is drawn.
        using LoadedModel loaded = LoadedModel.Create(
            request.Clip,
            config.Clip.Activation,
            ClipActivation.Auto,
            config.Model,
            device,
            seed: null,
            clip =>
            {
                FrozenClip.Check(file.Archive, clip, request.Clip);
                CheckFits(config, clip.Config, request.File);
            },
            embeddings);
        file.Restore(loaded);

        // Names that cannot be encoded are found now, not when somebody asks for them.
        loaded.EmbedClasses(classes.Classes).Dispose();
        SafetensorsWriter writer = LdvcCheckpoint.Compose(loaded, null, file.Notes.Step, config, classes.Classes, classes.Seen);
        return new ZegClipImport(classes, config, file.Notes.Step, writer);
    }

    // What no tensor tells comes from the notes or --set, and nothing else notices that it does not fit before somebody labels a picture.
    private static void CheckFits(LdvcConfig config, Clip.ClipConfig clip, string file)
    {
        int heads = config.Model.Decoder.Heads;
        if (clip.Embedding % heads != 0)
        {
            throw new InputException(
                $"{file}: a decoder of {heads} heads, expected a divisor of the CLIP's joint width {clip.Embedding}; --set model.decoder.heads=N "
                    + "says how many.");
        }

        Segmenter.CheckWindows(config.Eval, clip.PatchSize, $"{file}: ");
    }

    private static LdvcConfig Describe(ImportRequest request, ZegClipFile file, ZegClipClasses classes, int grid)
    {
        ZegClipNotes notes = file.Notes;
        long patch = file.Archive.Entry(ZegClipNames.Backbone + "conv1.weight").Shape is [_, _, _, > 0 and <= 256 and var side] ? side : 1;
        int window = notes.Window ?? (int)(grid * patch);
        var found = new LdvcConfig
        {
            Source = request.File,
            Clip = new Configuration.ClipConfig { Path = request.Clip, Activation = ClipActivation.QuickGelu },
            Model = new ModelConfig
            {
                ClsTwice = true,
                Template = classes.Kind == DataKind.CocoStuff ? ZegClipTemplates.CocoStuff : new ModelConfig().Template,
                Prompts = new PromptConfig { Vision = file.Prompts, Text = 0, DropoutPer = PromptDropout.Picture },
                Decoder = new DecoderConfig
                {
                    Kind = DecoderKind.ClassQuery,
                    Attention = SelfAttention.None,
                    Layers = file.DecoderLayers,
                    Heads = notes.Heads ?? new DecoderConfig().Heads,
                    FfnRatio = file.FeedForwardRatio,
                },
            },
            Data = new DataConfig
            {
                Kind = classes.Kind,
                Variant = classes.Kind == DataKind.Context ? classes.Classes.Count : new DataConfig().Variant,
                ImageMean = ImageStatistics.Imagenet,
                Unseen = [.. classes.Split.Unseen.Select(id => classes.Classes[id])],
            },
            Train = new TrainConfig { Setting = classes.Setting, Iterations = Math.Max(1, notes.Step) },
            Eval = new EvalConfig
            {
                ShortSide = notes.ShortSide ?? window,
                ExactShortSide = true,
                Window = window,
                Stride = Math.Min(window, notes.Stride ?? (window == PublishedWindow ? PublishedStride : window * 3 / 4)),
            },
        };
        return ConfigLoader.Parse(ConfigWriter.ToYaml(found), request.File, request.Sets);
    }
}
