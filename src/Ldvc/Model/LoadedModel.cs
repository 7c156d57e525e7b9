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
    private LoadedModel(ClipModel clip, ClipTokenizer tokenizer, LdvcModel model, ModelConfig config, string sha256)
    {
        (Clip, Tokenizer, Model, Config, ClipSha256) = (clip, tokenizer, model, config, sha256);
    }

    /// <summary>The frozen CLIP.</summary>
    public ClipModel Clip { get; }

    /// <summary>The CLIP's tokenizer.</summary>
    public ClipTokenizer Tokenizer { get; }

    /// <summary>The trained model around it.</summary>
    public LdvcModel Model { get; }

    /// <summary>Section model of its configuration.</summary>
    public ModelConfig Config { get; }

    /// <summary>SHA-256 of the CLIP's weights file: a checkpoint belongs to one CLIP.</summary>
    internal string ClipSha256 { get; }

    /// <summary>The device everything lives on.</summary>
    public Device Device => Clip.LogitScale.Value.Device;

    /// <summary>Loads a CLIP and builds an untrained LDVC model around it.</summary>
    public static LoadedModel Create(string clipPath, ModelConfig config, Device device, ulong seed)
    {
        var checkpoint = ClipCheckpoint.Find(clipPath);
        var tokenizer = ClipTokenizer.Load(clipPath);
        ClassTexts.CheckPrompts(tokenizer, config.Template, config.Prompts.Text);
        var clip = checkpoint.Load(device);
        try
        {
            tokenizer.CheckVocabulary(clip.Config.VocabularySize, clipPath);

            // Any class serves: the prompts' places lie before the name, and attention is causal.
            var template = ClassTexts.Tokenize(tokenizer, config.Template, ["object"], clip.Config.ContextLength);
            return new LoadedModel(clip, tokenizer, new LdvcModel(clip, config, new Initializer(device, seed), template), config, checkpoint.Sha256());
        }
        catch
        {
            clip.Dispose();
            throw;
        }
    }

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
