using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Tensors;

namespace Ldvc.Pretraining;

/// <summary>`pretrain.init`: a CLIP on disk that training goes on from.</summary>
internal static class InitialWeights
{
    /// <summary>The tokens of the CLIP.</summary>
    /// <exception cref="InputException">There are none, they are damaged, or there are more than <paramref name="most"/>.</exception>
    internal static ClipVocabulary Vocabulary(string path, int most)
    {
        string folder = ClipCheckpoint.Find(path).Folder;
        ClipVocabulary vocabulary = VocabularyFiles.Load(folder);
        if (vocabulary.Ids.Count > most)
        {
            throw new InputException($"pretrain.init: {folder} has {vocabulary.Ids.Count} tokens, pretrain.text.vocabulary allows {most}");
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
            throw new InputException($"pretrain.init: {path} is a CLIP of other sizes; expected {model.Config}, found {source.Config}");
        }

        foreach (var (target, from) in model.Parameters().Zip(source.Parameters()))
        {
            target.Parameter.Value.CopyFromHost<float>(from.Parameter.Value.ToArray());
        }
    }
}
