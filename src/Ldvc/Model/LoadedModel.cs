using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Model;

/// <summary>A CLIP, its tokenizer and the LDVC model around it: what every verb that computes needs.</summary>
public sealed class LoadedModel : IDisposable
{
    private LoadedModel(ClipModel clip, ClipTokenizer tokenizer, LdvcModel model, ModelConfig config, ClipCheckpoint source)
    {
        (Clip, Tokenizer, Model, Config, Source) = (clip, tokenizer, model, config, source);
        Statistics = source.Statistics();
    }

    /// <summary>The frozen CLIP.</summary>
    public ClipModel Clip { get; }

    /// <summary>The CLIP's tokenizer.</summary>
    public ClipTokenizer Tokenizer { get; }

    /// <summary>The trained model around it.</summary>
    public LdvcModel Model { get; }

    /// <summary>Section model of its configuration.</summary>
    public ModelConfig Config { get; }

    /// <summary>Where the CLIP lies.</summary>
    internal ClipCheckpoint Source { get; }

    /// <summary>
    /// Mean and standard deviation of the CLIP's pictures: its own files', or what a checkpoint was trained with, which counts even where the same weights lie
    /// beside another preprocessor_config.json.
    /// </summary>
    internal Imaging.ImageStatistics Statistics { get; set; }

    /// <summary>The device everything lives on.</summary>
    public Device Device => Clip.LogitScale.Value.Device;

    /// <summary>Loads a CLIP and builds an untrained LDVC model around it.</summary>
    public static LoadedModel Create(string clipPath, ModelConfig config, Device device, ulong seed) => Create(clipPath, ClipActivation.Auto, ClipActivation.Auto, config, device, seed, null);

    /// <summary>The same, with an activation that the CLIP's files may not tell.</summary>
    internal static LoadedModel Create(Configuration.ClipConfig clip, ModelConfig config, Device device, ulong seed) =>
        Create(clip.Path!, clip.Activation, ClipActivation.Auto, config, device, seed, null);

    /// <summary>The same; an activation for files that do not tell theirs, and the CLIP is looked at before anything is built on it.</summary>
    internal static LoadedModel Create(
        string clipPath, ClipActivation activation, ClipActivation otherwise, ModelConfig config, Device device, ulong seed, Action<ClipModel>? check)
    {
        var checkpoint = ClipCheckpoint.Find(clipPath);
        var tokenizer = ClipTokenizer.Load(clipPath);
        ClassTexts.CheckPrompts(tokenizer, config.Template, config.Prompts.Text);
        var clip = checkpoint.Load(device, KernelActivation(activation), digest: true, KernelActivation(otherwise));
        try
        {
            check?.Invoke(clip);
            tokenizer.CheckVocabulary(clip.Config.VocabularySize, clipPath);

            // Any class serves: the prompts' places lie before the name, and attention is causal.
            var template = ClassTexts.Tokenize(tokenizer, config.Template, ["object"], clip.Config.ContextLength);
            return new LoadedModel(clip, tokenizer, new LdvcModel(clip, config, new Initializer(device, seed), template), config, checkpoint);
        }
        catch
        {
            clip.Dispose();
            throw;
        }
    }

    /// <summary>The option as the towers name it; null = the CLIP's files decide.</summary>
    internal static Kernels.Activation? KernelActivation(ClipActivation activation) => activation switch
    {
        ClipActivation.QuickGelu => Kernels.Activation.QuickGelu,
        ClipActivation.Gelu => Kernels.Activation.Gelu,
        _ => null,
    };

    /// <summary>Tokenised sentences of class names.</summary>
    internal TokenBatch Tokenize(IReadOnlyList<string> names) => ClassTexts.Tokenize(Tokenizer, Config.Template, names, Clip.Config.ContextLength);

    /// <summary>Class embeddings t [C, E], computed once, for inference.</summary>
    public Tensor EmbedClasses(IReadOnlyList<string> names)
    {
        using var tape = new Tape(Device, recording: false);
        return Model.EncodeClasses(tape, Tokenize(names)).Value.Share();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Model.Dispose();
        Clip.Dispose();
    }
}
