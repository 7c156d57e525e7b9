using System.Text.Json;
using Ldvc.Imaging;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Data;
using Ldvc.Tests.Training;

namespace Ldvc.Tests.Inspection;

/// <summary>
/// A small folder data set without a fault, to which a test adds one: cat, dog and sky, three training and two validation pictures.
/// </summary>
internal sealed class CheckFolder : IDisposable
{
    private readonly TinyData _data = new();
    private ulong _seed;

    public CheckFolder(params string[] classes)
    {
        Text("classes.txt", classes.Length > 0 ? classes : ["cat", "dog", "sky"]);
        Text("train.txt", "a", "b", "c");
        Text("val.txt", "d", "e");
        foreach (string id in new[] { "a", "b", "c", "d", "e" })
        {
            Picture(id, 12, 10);
            Mask(id, 12, 10, 0, 1, 2, 255);
        }
    }

    public string Root => _data.At("mine");

    public string JsonFile => _data.At("check.json");

    public void Dispose() => _data.Dispose();

    public void Text(string name, params string[] lines) => _data.Text(string.Join('\n', lines) + "\n", "mine", name);

    public string At(params string[] parts) => _data.At(["mine", .. parts]);

    public void Picture(string id, int width, int height) =>
        Ldvc.Imaging.Writing.ImageWriter.WritePng(TinyData.Pattern(width, height, ++_seed), At("images", id + ".png"));

    public void Mask(string id, int width, int height, params byte[] cycle) =>
        _data.Mask(TinyData.Labels(width, height, cycle), "mine", "masks", id + ".png");

    /// <summary>Runs `ldvc check` on it.</summary>
    public (int Code, string Out, JsonElement Json) Check(params string[] settings)
    {
        File.Delete(JsonFile);
        (int code, string output, string error) = CommandLine.Run([.. Arguments(settings), "--json", JsonFile]);
        Xunit.Assert.Equal("", error);
        return (code, output, JsonDocument.Parse(File.ReadAllText(JsonFile)).RootElement);
    }

    public string[] Arguments(params string[] settings)
    {
        _data.Text($"base: {SmallRun.Config("base")}\ndata: {{kind: folder, root: {Root}}}\n", "mine.yaml");
        return ["check", _data.At("mine.yaml"), .. settings.SelectMany(s => new[] { "--set", s })];
    }
}
