using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Model;

/// <summary>Class names as sentences and token ids (method.md 3).</summary>
internal static class ClassTexts
{
    private const string Placeholder = "{class}";

    /// <summary>"a photo of a {class}" with a name in place of {class}.</summary>
    internal static string Sentence(string template, string name) => template.Replace(Placeholder, name, StringComparison.Ordinal);

    /// <summary>Refuses more text prompts than the template has tokens in front of the name: they would overwrite the name itself.</summary>
    /// <exception cref="InputException">There are more.</exception>
    internal static void CheckPrompts(ClipTokenizer tokenizer, string template, int prompts)
    {
        int words = tokenizer.EncodeUnpadded(template[..Math.Max(template.IndexOf(Placeholder, StringComparison.Ordinal), 0)]).Length - 2;
        if (prompts > words)
        {
            throw new InputException(
                $"model.prompts.text is {prompts}, expected at most {words}: model.template has {words} tokens in front of {Placeholder}, and prompts take their places");
        }
    }

    /// <summary>Tokenises the sentences of all names, cut to the longest one.</summary>
    /// <exception cref="InputException">The template has no {class}, or a sentence is too long for the text encoder.</exception>
    internal static TokenBatch Tokenize(ClipTokenizer tokenizer, string template, IReadOnlyList<string> names, int contextLength)
    {
        if (!template.Contains(Placeholder, StringComparison.Ordinal))
        {
            throw new InputException($"model.template: expected a sentence with {Placeholder} in it, found \"{template}\"");
        }

        var ids = new int[names.Count * contextLength];
        for (int i = 0; i < names.Count; i++)
        {
            int[] tokens = tokenizer.EncodeUnpadded(Sentence(template, names[i]));
            if (tokens.Length > contextLength)
            {
                throw new InputException(
                    $"class name {ConfigText.Quote(names[i])}: {tokens.Length} tokens with the template around it, expected at most the {contextLength} of this CLIP");
            }

            tokens.CopyTo(ids, i * contextLength);
        }

        return TokenBatch.Create(ids, names.Count);
    }
}
