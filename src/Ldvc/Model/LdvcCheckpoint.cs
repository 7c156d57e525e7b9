using System.Text.Json;
using Ldvc.Autograd.Optimizers;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Model;

/// <summary>
/// A checkpoint of `ldvc train` (method.md 11) or `ldvc import`, opened for reading: the trained tensors, the optimiser's moments (after training),
/// class embeddings where they came from a file, and in the metadata everything that inference and continuing need to know. The frozen CLIP is not in
/// it; it is named by a digest of its weights (<see cref="ClipDigest"/>), whatever file they lie in; before 0.2.0 by the SHA-256 of its file.
/// </summary>
public sealed class LdvcCheckpoint : IDisposable
{
    private const string Kind = "ldvc";
    private const string KindKey = "kind";
    private const string ClipDigestKey = "clip_digest";
    private const string ClipFileKey = "clip_sha256";
    private const string ClipFormKey = "clip_form";
    private const string VocabularyKey = "vocabulary_digest";
    private const string ImageMeanKey = "image_mean";
    private const string ImageStdKey = "image_std";
    private const string Auto = "auto";
    private const string ClipPathKey = "clip_path";
    private const string ConfigKey = "config";
    private const string ClassesKey = "classes";
    private const string SeenKey = "seen_classes";
    private const string SamplesKey = "samples_sha256";

    // Options of the model that change no weight's meaning, or are compared otherwise.
    private static readonly string[] Compatible =
        ["model.prompts.dropout", "model.prompts.dropout_per", "model.decoder.dropout", "model.class_embeddings"];

    private readonly TensorArchive _archive;

    private LdvcCheckpoint(TensorArchive archive)
    {
        _archive = archive;
        string? kind = archive.Metadata.GetValueOrDefault(KindKey);
        if (kind != Kind)
        {
            string found = kind switch
            {
                null when archive.Entries.ContainsKey("backbone.prompt_embeddings") =>
                    "ZegCLIP's own format, from which `ldvc import` makes a checkpoint",
                null => "a file of another kind",
                TrainingState.PretrainingKind => "the state of an `ldvc pretrain` run",
                _ => $"kind {ConfigText.Quote(kind)}",
            };
            throw new InputException($"{Path}: expected a checkpoint that `ldvc train` wrote, found {found}.");
        }

        Config = ConfigLoader.Parse(Text(ConfigKey), $"{Path} (its configuration)");
        ClipDigest = archive.Metadata.GetValueOrDefault(ClipDigestKey);
        ClipFileSha256 = ClipDigest is null ? Text(ClipFileKey) : null;
        Statistics = ReadStatistics();
        ClipPath = Text(ClipPathKey);
        Classes = new ClassList(Names(ClassesKey), Path);
        string[] seen = Names(SeenKey);
        Seen = new HashSet<string>(seen.Length == 0 ? [] : new ClassList(seen, Path).Texts, NameSpelling.Comparer);
        if (Seen.Except(Classes.Texts, NameSpelling.Comparer).FirstOrDefault() is { } other)
        {
            throw new InputException($"{Path}: the metadata key '{SeenKey}' is damaged; {ConfigText.Quote(other)} is none of its classes.");
        }

        Step = TrainingState.StepOf(archive);
        Embeddings = ClassEmbeddings.Read(archive, Classes);
    }

    /// <summary>The file, as it was named.</summary>
    public string Path => _archive.Path;

    /// <summary>A digest of all that is in it, by its checksums; null in files of before 0.2.0, which have none.</summary>
    internal string? Digest => _archive.DigestByChecksums();

    /// <summary>Optimiser steps taken.</summary>
    public long Step { get; }

    /// <summary>The configuration it was trained with.</summary>
    public LdvcConfig Config { get; }

    /// <summary>Digest of the CLIP's weights; null in checkpoints from before 0.2.0.</summary>
    internal string? ClipDigest { get; }

    /// <summary>SHA-256 of the file that the CLIP lay in, where that is all there is.</summary>
    internal string? ClipFileSha256 { get; }

    /// <summary>Mean and standard deviation of the CLIP's pictures in training.</summary>
    internal Imaging.ImageStatistics Statistics { get; }

    /// <summary>Where the CLIP lay in training.</summary>
    internal string ClipPath { get; }

    /// <summary>The data set's class names.</summary>
    public ClassList Classes { get; }

    /// <summary>Class embeddings that came from a file; null = they are computed from the names.</summary>
    internal ClassEmbeddings? Embeddings { get; }

    /// <summary>
    /// The names that had masks in training, synonyms included; two are the same that the tokenizer cannot tell apart, as in upper and lower case.
    /// </summary>
    public IReadOnlySet<string> Seen { get; }

    /// <summary>
    /// Opens a checkpoint; its tensors are read later. The folder of a run stands for its best checkpoint, where one is kept, else for its newest.
    /// </summary>
    /// <exception cref="InputException">The file is missing, damaged, or of another kind.</exception>
    public static LdvcCheckpoint Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        TensorArchive archive = TensorArchive.Open(RunCheckpoint.Resolve(path));
        try
        {
            return new LdvcCheckpoint(archive);
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    /// <summary>Puts a checkpoint together. Two runs that differ in nothing but their folder write the same bytes.</summary>
    /// <exception cref="InputException">A tensor holds NaN or infinity.</exception>
    internal static SafetensorsWriter Compose(LoadedModel loaded, AdamW optimizer, LdvcConfig config, SegmentationDataset dataset) => Compose(
        loaded,
        optimizer,
        optimizer.Steps,
        config,
        dataset.Classes,
        Shown(config.Train.Setting, dataset),
        SampleDigest.Of(dataset));

    /// <summary>The same for a model that was not trained here: without an optimiser there are no moments.</summary>
    /// <param name="loaded">The model.</param>
    /// <param name="optimizer">The optimiser, or null.</param>
    /// <param name="step">Optimiser steps taken.</param>
    /// <param name="config">The configuration it was trained with.</param>
    /// <param name="classes">The classes.</param>
    /// <param name="seen">Those that had masks.</param>
    /// <param name="samples">Digest of the pictures it was trained on; null = not known.</param>
    /// <exception cref="InputException">A tensor holds NaN or infinity.</exception>
    internal static SafetensorsWriter Compose(
        LoadedModel loaded, AdamW? optimizer, long step, LdvcConfig config, ClassList classes, IEnumerable<ClassName> seen, string? samples = null)
    {
        // The class embeddings' file need not exist where the checkpoint is used: they are in it.
        LdvcConfig kept = config with
        {
            Model = config.Model with { ClassEmbeddings = null },
            Clip = config.Clip with { Activation = ClipForm.Activation(loaded.Clip.Config) },
            Train = config.Train with { Out = null },
            Pretrain = config.Pretrain with { Out = null },
        };
        var metadata = new Dictionary<string, string>
        {
            [KindKey] = Kind,
            [ClipDigestKey] = loaded.Clip.Digest!,
            [ClipFormKey] = ClipForm.Of(loaded.Clip.Config),
            [ImageMeanKey] = JsonSerializer.Serialize(loaded.Statistics.Mean, JsonText.Plain),
            [ImageStdKey] = JsonSerializer.Serialize(loaded.Statistics.Std, JsonText.Plain),
            [ClipPathKey] = config.Clip.Path ?? "",
            [ConfigKey] = ConfigWriter.ToYaml(kept),
            [ClassesKey] = Serialize(classes.Classes),
            [SeenKey] = Serialize(seen),
        };
        if (samples is not null)
        {
            metadata[SamplesKey] = samples;
        }

        if (loaded.VocabularyDigest is { } vocabulary)
        {
            metadata[VocabularyKey] = vocabulary;
        }

        SafetensorsWriter writer = TrainingState.Compose(loaded.Model.Parameters(), optimizer, step, metadata);
        loaded.Embeddings?.Write(writer, classes);
        return writer;
    }

    /// <summary>Reads the parameters, and the optimiser's moments when one is given, into an existing model of the same configuration.</summary>
    /// <exception cref="InputException">The model is built on another CLIP, or a tensor is missing or has another shape.</exception>
    internal void Restore(LoadedModel loaded, AdamW? optimizer)
    {
        RefuseOtherClip(loaded.Clip, loaded.Source);
        RefuseOtherVocabulary(loaded);
        _archive.Verify();
        TrainingState.Load(_archive, loaded.Model.Parameters(), optimizer, ClassEmbeddings.TensorName);
    }

    /// <summary>The model, ready for inference.</summary>
    /// <param name="device">Where it is to live.</param>
    /// <param name="clip">The CLIP's folder or file; null = where it lay in training.</param>
    /// <exception cref="InputException">The CLIP is missing or another one; the checkpoint is damaged.</exception>
    public LoadedModel LoadModel(Device device, string? clip)
    {
        ArgumentNullException.ThrowIfNull(device);
        CheckpointSizes.Check(_archive, Config.Model);

        // All of the file, the optimiser's state, too: a file with damage in one place is not trusted in another.
        _archive.Verify();
        clip ??= Locate();
        ClipCheckpoint source = ClipCheckpoint.Find(clip);
        LoadedModel loaded = LoadedModel.Create(
            clip, ClipActivation.Auto, Config.Clip.Activation, Config.Model, device, seed: null, model => RefuseOtherClip(model, source), Embeddings);
        try
        {
            RefuseOtherVocabulary(loaded);
            TrainingState.Load(_archive, loaded.Model.Parameters(), null, ClassEmbeddings.TensorName);
            loaded.Statistics = Statistics;
            return loaded;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Refuses a configuration that describes another model, or other image statistics, than the checkpoint was trained with. Dropout may differ:
    /// it changes no weight's meaning. Class embeddings are compared by their values, and a configuration that names none takes the checkpoint's.
    /// </summary>
    /// <exception cref="InputException">A value differs.</exception>
    internal void RefuseOtherModel(LdvcConfig config)
    {
        if (LoadedModel.ReadEmbeddings(config.Model, Classes) is { } named && named.FirstDifference(Embeddings, Classes) is { } differs)
        {
            throw new InputException(Embeddings is null
                ? $"{config.Place}model.class_embeddings: expected nothing, since {Path} was trained with embeddings computed from the names, "
                    + $"found {ConfigText.Quote(named.Source)}."
                : $"{config.Place}model.class_embeddings: {named.Source}: expected the embeddings that {Path} was trained with, found another one "
                    + $"of {ConfigText.Quote(differs)}.");
        }

        var own = ConfigWriter.Flatten(Config).ToDictionary(entry => entry.Key, entry => entry.Value);
        foreach ((string key, _, string value) in ConfigWriter.Flatten(config))
        {
            bool matters = (key.StartsWith("model.", StringComparison.Ordinal) && !Compatible.Contains(key)) || key == "data.image_mean"
                || (key == "clip.activation" && value != Auto && own[key] != Auto);
            if (matters && own[key] != value)
            {
                throw new InputException($"{config.Place}{key}: expected {own[key]}, as {Path} was trained with, found {value}.");
            }
        }
    }

    /// <summary>
    /// Refuses to continue a run on other pictures, masks or classes, or with another split: it would be no run of either. Files from before 0.2.0 do
    /// not say which pictures they are of.
    /// </summary>
    /// <param name="dataset">The training part.</param>
    /// <param name="option">The option that chooses another folder, for the message.</param>
    /// <exception cref="InputException">The classes, which of them are seen, or the pictures or their order have changed.</exception>
    internal void RefuseOtherData(SegmentationDataset dataset, string option = "train.out")
    {
        string remedy = $"set it back or choose another {option}.";
        if (!dataset.Classes.Classes.SequenceEqual(Classes.Classes))
        {
            int at = dataset.Classes.Classes.Zip(Classes.Classes).TakeWhile(pair => pair.First.Equals(pair.Second)).Count();
            string Name(ClassList list) => at < list.Count ? ConfigText.Quote(list.Classes[at].ToString()) : $"{list.Count} classes";
            throw new InputException(
                $"{dataset.Name}: class {at}: expected {Name(Classes)}, as {Path} was trained with, found {Name(dataset.Classes)}; {remedy}");
        }

        HashSet<ClassName> shown = [.. Shown(Config.Train.Setting, dataset)];
        if (Classes.Classes.FirstOrDefault(name => Seen.Contains(name.Name) != shown.Contains(name)) is { } moved)
        {
            bool before = Seen.Contains(moved.Name);
            throw new InputException(
                $"{dataset.Name}: expected class {ConfigText.Quote(moved.Name)} to be {(before ? "seen" : "unseen")}, as {Path} was trained with it, "
                    + $"found it {(before ? "unseen" : "seen")}; {remedy}");
        }

        if (_archive.Metadata.TryGetValue(SamplesKey, out string? samples) && samples != SampleDigest.Of(dataset))
        {
            throw new InputException(
                $"{dataset.Name}: expected the pictures, in their order, that {Path} was trained on, with the same masks, found other ones "
                    + $"({dataset.Count} now); {remedy}");
        }
    }

    /// <summary>Refuses to go on from a checkpoint that was shown masks of classes that are unseen now: its scores would not be zero-shot.</summary>
    /// <exception cref="InputException">One of the names had masks in training.</exception>
    internal void RefuseSeen(string[] unseen, string source)
    {
        if (unseen.FirstOrDefault(Seen.Contains) is { } shown)
        {
            throw new InputException(
                $"{source}: expected a checkpoint trained without masks of the unseen classes, but {Path} had masks of '{shown}'.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _archive.Dispose();

    // The classes whose masks training shows.
    private static IEnumerable<ClassName> Shown(TrainSetting setting, SegmentationDataset dataset) =>
        setting == TrainSetting.Full ? dataset.Classes.Classes : dataset.Split.Seen.Select(id => dataset.Classes.Classes[id]);

    // "name; synonym; synonym" each.
    private static string Serialize(IEnumerable<ClassName> classes) =>
        JsonSerializer.Serialize(classes.Select(c => c.ToString()).ToArray(), JsonText.Plain);

    private void RefuseOtherClip(ClipModel clip, ClipCheckpoint source)
    {
        string found = ClipDigest is null ? source.Sha256() : clip.Digest!, expected = ClipDigest ?? ClipFileSha256!;
        if (found != expected)
        {
            throw new InputException(
                $"{Path}: was trained on the CLIP with SHA-256 {expected} of its {(ClipDigest is null ? "file" : "weights")}, but "
                    + $"{source.WeightsPath} has {found}; name the right one with --clip (segment) or clip.path.");
        }

        // The same weights beside another configuration are another network.
        if (_archive.Metadata.TryGetValue(ClipFormKey, out string? form) && form != ClipForm.Of(clip.Config))
        {
            throw new InputException(
                $"{Path}: was trained on these weights with {form}, but what lies beside {source.WeightsPath} says {ClipForm.Of(clip.Config)}.");
        }
    }

    // The same weights beside another vocabulary read another text from the same ids. Where class embeddings came from a file there may be none.
    private void RefuseOtherVocabulary(LoadedModel loaded)
    {
        if (_archive.Metadata.TryGetValue(VocabularyKey, out string? expected) && loaded.VocabularyDigest is { } found && found != expected)
        {
            throw new InputException(
                $"{Path}: was trained with the vocabulary with SHA-256 {expected}, but {loaded.Source.Folder} has one with {found}, which gives "
                    + "texts other token ids; expected the vocabulary files of its CLIP.");
        }
    }

    // Before 0.2.0 nothing but OpenAI's own or, as the configuration says, ImageNet's were used.
    private Imaging.ImageStatistics ReadStatistics() => _archive.Metadata.ContainsKey(ImageMeanKey)
        ? new Imaging.ImageStatistics(Path, Three(ImageMeanKey, -1e3f), Three(ImageStdKey, 1e-6f))
        : Imaging.ImageStatistics.Clip;

    private float[] Three(string key, float smallest)
    {
        try
        {
            if (JsonSerializer.Deserialize<float[]>(Text(key), JsonText.Plain) is { Length: 3 } values && values.All(v => v >= smallest && v <= 1e3f))
            {
                return values;
            }
        }
        catch (JsonException)
        {
            // Said below.
        }

        throw new InputException($"{Path}: the metadata key '{key}' is damaged; expected three numbers.");
    }

    // As it was named in training; from another working directory, or after both were moved together, beside the checkpoint.
    private string Locate()
    {
        string named = Config.Clip.Path ?? ClipPath;
        string beside = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!, named);
        foreach (string place in new[] { named, beside })
        {
            if (named.Length > 0 && (File.Exists(place) || Directory.Exists(place)))
            {
                return place;
            }
        }

        throw new InputException(
            $"{Path}: its CLIP is not where it was in training, {ConfigText.Quote(named)}; name its place with --clip (segment) or clip.path.");
    }

    private string Text(string key) => _archive.Metadata.TryGetValue(key, out string? text)
        ? text
        : throw new InputException($"{Path}: the metadata key '{key}' is missing; expected a checkpoint that `ldvc train` wrote.");

    private string[] Names(string key) =>
        JsonInput.Texts(Text(key)) ?? throw new InputException($"{Path}: the metadata key '{key}' is damaged; expected a list of class names.");
}
