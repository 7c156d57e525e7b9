namespace Ldvc.Import;

/// <summary>The sentences behind the class embeddings that ZegCLIP's authors publish: one for VOC, the mean of fifteen for COCO-Stuff.</summary>
internal static class ZegClipTemplates
{
    /// <summary>Those of COCO-Stuff (and of ViLD, from where they come).</summary>
    internal static string[] CocoStuff { get; } =
    [
        .. Sizes.Select(size => $"a photo of a {size}{{class}}."),
        .. Sizes.Select(size => $"This is a photo of a {size}{{class}}."),
        "a {class} in the scene.",
        "a photo of a {class} in the scene.",
        "There is a {class} in the scene.",
        "There is the {class} in the scene.",
        "This is a {class} in the scene.",
        "This is the {class} in the scene.",
        "This is one {class} in the scene.",
    ];

    private static string[] Sizes => ["", "small ", "medium ", "large "];
}
