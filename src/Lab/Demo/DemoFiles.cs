namespace Ldvc.Lab.Demo;

/// <summary>What the demo leaves behind.</summary>
internal static class DemoFiles
{
    /// <summary>The folder when none is named.</summary>
    internal const string DefaultFolder = "demo-output";

    /// <summary>The trained LDVC in it.</summary>
    internal const string LdvcFile = "ldvc.safetensors";

    /// <summary>The trained ZegCLIP in it.</summary>
    internal const string ZegclipFile = "zegclip.safetensors";
}
