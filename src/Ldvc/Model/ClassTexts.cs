using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Model;

/// <summary>Class names as sentences and token ids (method.md 3).</summary>
internal static class ClassTexts
{
    /// <summary>Refuses more text prompts than the template has tokens in front of the name: they would overwrite the name itself.</summary>
    /// <exception cref="InputException">There are more, or there are several templates for them.</exception>
    internal static void CheckPrompts(ClipTokenizer tokenizer, string[] template, int prompts)
    {
        TextTemplates.Checked(template, "model.template");
        if (prompts == 0)
        {
            return;
        }

        string[] sentences = TextTemplates.Expand(template);
        if (sentences.Length > 1)
        {
            throw new InputException($"model.prompts.text is {prompts}, expected 0: model.template has {sentences.Length} sentences, and prompts "
                + "take the places of one's words");
        }

        int words = tokenizer.EncodeUnpadded(sentences[0][..sentences[0].IndexOf(TextTemplates.Placeholder, StringComparison.Ordinal)]).Length - 2;
        if (prompts > words)
        {
            throw new InputException(
                $"model.prompts.text is {prompts}, expected at most {words}: model.template has {words} tokens in front of "
                    + $"{TextTemplates.Placeholder}, and prompts take their places");
        }
    }

    /// <summary>Tokenises the sentences of all names, with the first template, cut to the longest one.</summary>
    /// <exception cref="InputException">The template has no {class}, or a sentence is too long for the text encoder.</exception>
    internal static TokenBatch Tokenize(ClipTokenizer tokenizer, string[] template, IReadOnlyList<string> names, int contextLength)
    {
        string sentence = TextTemplates.Expand(TextTemplates.Checked(template, "model.template"))[0];
        var ids = new int[names.Count * contextLength];
        for (int i = 0; i < names.Count; i++)
        {
            tokenizer.EncodeClass(sentence, names[i], contextLength).CopyTo(ids, i * contextLength);
        }

        return TokenBatch.Create(ids, names.Count);
    }
}
