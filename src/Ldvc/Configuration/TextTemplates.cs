using System.Net;
using Ldvc.Tensors;

namespace Ldvc.Configuration;

/// <summary>Sentences around a class name for the text encoder, and the published list of them.</summary>
internal static class TextTemplates
{
    /// <summary>What stands for the name.</summary>
    internal const string Placeholder = "{class}";

    /// <summary>The name of OpenAI's 80 sentences for ImageNet.</summary>
    internal const string ImageNet = "imagenet-80";

    // What stands around every text of a CLIP, however it is written.
    private static readonly string[] s_ends = ["<|startoftext|>", "<|endoftext|>"];

    // CLIP's published zero-shot recipe, in its order.
    private const string ImageNetSentences = """
        a bad photo of a {class}.
        a photo of many {class}.
        a sculpture of a {class}.
        a photo of the hard to see {class}.
        a low resolution photo of the {class}.
        a rendering of a {class}.
        graffiti of a {class}.
        a bad photo of the {class}.
        a cropped photo of the {class}.
        a tattoo of a {class}.
        the embroidered {class}.
        a photo of a hard to see {class}.
        a bright photo of a {class}.
        a photo of a clean {class}.
        a photo of a dirty {class}.
        a dark photo of the {class}.
        a drawing of a {class}.
        a photo of my {class}.
        the plastic {class}.
        a photo of the cool {class}.
        a close-up photo of a {class}.
        a black and white photo of the {class}.
        a painting of the {class}.
        a painting of a {class}.
        a pixelated photo of the {class}.
        a sculpture of the {class}.
        a bright photo of the {class}.
        a cropped photo of a {class}.
        a plastic {class}.
        a photo of the dirty {class}.
        a jpeg corrupted photo of a {class}.
        a blurry photo of the {class}.
        a photo of the {class}.
        a good photo of the {class}.
        a rendering of the {class}.
        a {class} in a video game.
        a photo of one {class}.
        a doodle of a {class}.
        a close-up photo of the {class}.
        a photo of a {class}.
        the origami {class}.
        the {class} in a video game.
        a sketch of a {class}.
        a doodle of the {class}.
        a origami {class}.
        a low resolution photo of a {class}.
        the toy {class}.
        a rendition of the {class}.
        a photo of the clean {class}.
        a photo of a large {class}.
        a rendition of a {class}.
        a photo of a nice {class}.
        a photo of a weird {class}.
        a blurry photo of a {class}.
        a cartoon {class}.
        art of a {class}.
        a sketch of the {class}.
        a embroidered {class}.
        a pixelated photo of a {class}.
        itap of the {class}.
        a jpeg corrupted photo of the {class}.
        a good photo of a {class}.
        a plushie {class}.
        a photo of the nice {class}.
        a photo of the small {class}.
        a photo of the weird {class}.
        the cartoon {class}.
        art of the {class}.
        a drawing of the {class}.
        a photo of the large {class}.
        a black and white photo of a {class}.
        the plushie {class}.
        a dark photo of a {class}.
        itap of a {class}.
        graffiti of the {class}.
        a toy {class}.
        itap of my {class}.
        a photo of a cool {class}.
        a photo of a small {class}.
        a tattoo of the {class}.
        """;

    /// <summary>The sentences themselves, each with <see cref="Placeholder"/> in it.</summary>
    /// <param name="templates">Sentences, and <see cref="ImageNet"/> in place of its own.</param>
    internal static string[] Expand(IEnumerable<string> templates) =>
        [.. templates.SelectMany(template => template == ImageNet ? ImageNetSentences.ReplaceLineEndings("\n").Split('\n') : [template])];

    /// <summary>"a photo of a {class}" with a name in place of {class}.</summary>
    internal static string Sentence(string template, string name) => template.Replace(Placeholder, name, StringComparison.Ordinal);

    /// <summary>What is wrong with a list of templates, as "expected ..., found ..."; null when nothing is.</summary>
    internal static string? Fault(string[] templates)
    {
        if (templates.Length == 0)
        {
            return $"expected a sentence with {Placeholder} in it, a list of them or {ImageNet}, found none";
        }

        string? bad = Array.Find(templates, template => template != ImageNet && template.Split(Placeholder).Length != 2);
        if (bad is not null)
        {
            return $"expected a sentence with {Placeholder} in it once or {ImageNet}, found {ConfigText.Quote(bad)}";
        }

        string? ended = Array.Find(templates, HasEnd);
        return ended is null ? null : $"expected a sentence of words, found {ConfigText.Quote(ended)}, which would end the text for the text encoder";
    }

    private static bool HasEnd(string template)
    {
        string text = WebUtility.HtmlDecode(WebUtility.HtmlDecode(template));
        return Array.Exists(s_ends, end => text.Contains(end, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Refuses a faulty list.</summary>
    /// <param name="templates">The list.</param>
    /// <param name="source">Where it stood, for the message.</param>
    /// <exception cref="InputException">It has a fault.</exception>
    internal static string[] Checked(string[] templates, string source) =>
        Fault(templates) is { } fault ? throw new InputException($"{source}: {fault}.") : templates;
}
