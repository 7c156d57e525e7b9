using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Tensors;

namespace Ldvc.Lab.Pretraining;

/// <summary>`pretrain.init`: a CLIP on disk that training goes on from.</summary>
internal static class InitialWeights
{
    /// <summary>The tokens of the CLIP.</summary>
    /// <exception cref="InputException">There are none, they are damaged, or there are more than <paramref name="max"/>.</exception>
    internal static ClipVocabulary Vocabulary(string path, int max)
    {
        string folder = ClipCheckpoint.Find(path).Folder;
        ClipVocabulary vocabulary = VocabularyFiles.Load(folder);
        if (vocabulary.Ids.Count > max)
        {
            throw new InputException($"pretrain.init: {folder} has {vocabulary.Ids.Count} tokens, pretrain.text.vocabulary allows {max}");
        }

        return vocabulary;
    }

    /// <summary>Gives the model the weights of the CLIP, in full precision whatever the device multiplies with.</summary>
    /// <exception cref="InputException">There are none, they are damaged, or of a CLIP of other sizes.</exception>
    internal static void CopyTo(ClipModel model, string path)
    {
        using var host = new CpuDevice(1);
        using ClipModel source = ClipCheckpoint.Find(path).Load(host);
        if (source.Config != model.Config)
        {
            throw new InputException(
                $"pretrain.init: {path} is a CLIP of other sizes: {string.Join(", ", Differences(model.Config, source.Config))}");
        }

        foreach (var (target, from) in model.Parameters().Zip(source.Parameters()))
        {
            target.Parameter.Value.CopyFromHost<float>(from.Parameter.Value.ToArray());
        }
    }

    // By the names of the options that set them; heads and hidden widths follow from the widths in a CLIP that was pretrained here.
    private static IEnumerable<string> Differences(Clip.ClipConfig here, Clip.ClipConfig there) => new (string Name, object Here, object There)[]
    {
        ("vision.image", here.ImageSize, there.ImageSize),
        ("vision.patch", here.PatchSize, there.PatchSize),
        ("vision.width", here.Vision.Width, there.Vision.Width),
        ("vision.layers", here.Vision.Layers, there.Vision.Layers),
        ("vision's heads", here.Vision.Heads, there.Vision.Heads),
        ("vision's hidden width", here.Vision.MlpWidth, there.Vision.MlpWidth),
        ("text.width", here.Text.Width, there.Text.Width),
        ("text.layers", here.Text.Layers, there.Text.Layers),
        ("text's heads", here.Text.Heads, there.Text.Heads),
        ("text's hidden width", here.Text.MlpWidth, there.Text.MlpWidth),
        ("text.context", here.ContextLength, there.ContextLength),
        ("tokens", here.VocabularySize, there.VocabularySize),
        ("embed", here.Embedding, there.Embedding),
        ("vision's activation", here.Vision.Activation, there.Vision.Activation),
        ("text's activation", here.Text.Activation, there.Text.Activation),
        ("vision's layer_norm_eps", here.Vision.NormEpsilon, there.Vision.NormEpsilon),
        ("text's layer_norm_eps", here.Text.NormEpsilon, there.Text.NormEpsilon),
    }.Where(size => !size.Here.Equals(size.There)).Select(size => $"{size.Name} expected {size.Here}, found {size.There}");
}
