namespace Ldvc.Lab.Demo;

/// <summary>Where the demo's small CLIP and its configuration lie: beside the program, or in the repository the program is run from.</summary>
internal static class DemoAssets
{
    /// <summary>The folder, relative to the program or the repository.</summary>
    public const string Folder = "assets/demo";

    /// <summary>The CLIP, a Hugging Face folder.</summary>
    public const string Clip = "clip";

    /// <summary>The training configuration.</summary>
    public const string Config = "demo.yaml";

    private static readonly string[] Files =
        [$"{Clip}/config.json", $"{Clip}/model.safetensors", $"{Clip}/vocab.json", $"{Clip}/merges.txt", Config];

    /// <summary>The assets' folder; null when there is none.</summary>
    public static string? Find()
    {
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Directory.Exists(Path.Combine(folder, Folder)))
            {
                return Path.Combine(folder, Folder);
            }
        }

        string here = Path.GetFullPath(Folder);
        return Directory.Exists(here) ? here : null;
    }

    /// <summary>The files a folder lacks.</summary>
    public static string[] Missing(string folder) => [.. Files.Where(file => !File.Exists(Path.Combine(folder, file)))];
}
