using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Tensors;

namespace Ldvc.Model;

/// <summary>Class names as sentences and token ids (method.md 3).</summary>
internal static class ClassTexts
{
    private const string Placeholder = "{class}";

    /// <summary>"a photo of a {class}" with a name in place of {class}.</summary>
    internal static string Sentence(string template, string name) => template.Replace(Placeholder, name, StringComparison.Ordinal);

    /// <summary>Tokenises the sentences of all names, cut to the longest one.</summary>
    /// <exception cref="InputException">The template has no {class}.</exception>
    internal static TokenBatch Tokenize(ClipTokenizer tokenizer, string template, IReadOnlyList<string> names, int contextLength)
    {
        if (!template.Contains(Placeholder, StringComparison.Ordinal))
        {
            throw new InputException($"model.template: expected a sentence with {Placeholder} in it, found \"{template}\"");
        }

        var ids = new int[names.Count * contextLength];
        for (int i = 0; i < names.Count; i++)
        {
            tokenizer.Encode(Sentence(template, names[i]), contextLength).CopyTo(ids, i * contextLength);
        }

        return TokenBatch.Create(ids, names.Count);
    }
}
