using System.Text.Json;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Import;

/// <summary>A small checkpoint of ZegCLIP that its authors' code wrote and ran (random weights), with class embeddings and no vocabulary.</summary>
internal static class ZegClipMini
{
    private static readonly JsonElement Case = JsonDocument.Parse(File.ReadAllBytes(At("case.json"))).RootElement;

    public static string Checkpoint => At("zegclip-mini.pth");

    public static string Clip => At("ViT-tiny.pt");

    public static string Embeddings => At("class_embeddings.npy");

    public static string[] Classes { get; } = [.. Names("classes")];

    public static string[] Seen { get; } = [.. Names("seen")];

    /// <summary>The four pictures, without their folder.</summary>
    public static string[] Pictures { get; } = ["p0", "p1", "p2", "p3"];

    public static string At(string name) => TestFiles.Data("zegclip-mini", name);

    /// <summary>Imports it into a file and returns what was printed.</summary>
    public static string Import(string output, params string[] more) => ImportFrom(Checkpoint, output, more);

    /// <summary>The same for another file.</summary>
    public static string ImportFrom(string file, string output, params string[] more)
    {
        (int code, string text, string error) = CommandLine.Run(Arguments(file, output, more));
        Assert.Equal((0, ""), (code, error));
        return text;
    }

    /// <summary>The command line that imports a file.</summary>
    public static string[] Arguments(string file, string output, params string[] more) =>
        [.. WithoutEmbeddings(file, output), "--embeddings", Embeddings, .. more];

    /// <summary>The same without class embeddings.</summary>
    public static string[] WithoutEmbeddings(string file, string output, params string[] more) =>
        ["import", file, "--clip", Clip, "--out", output, "--threads", "1", .. more];

    private static IEnumerable<string> Names(string key) => Case.GetProperty(key).EnumerateArray().Select(name => name.GetString()!);
}
