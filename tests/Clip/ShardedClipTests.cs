using Ldvc.Clip;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Comparison;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Clip;

/// <summary>A CLIP that was cut into several files, as Hugging Face's tools do it.</summary>
public sealed class ShardedClipTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public void IsTheWholeOne(int shards)
    {
        Cut(shards);
        using var device = new CpuDevice(2);
        using var whole = ClipCheckpoint.Find(TinyClip.Folder).Load(device, digest: true);
        foreach (string path in (string[])[_folder.Root, _folder.File("model.safetensors.index.json")])
        {
            using var model = ClipCheckpoint.Find(path).Load(device, digest: true);
            Assert.Equal(whole.Config, model.Config);
            Assert.Equal(whole.Digest, model.Digest);
            foreach (var (a, b) in whole.Parameters().Zip(model.Parameters()))
            {
                Assert.Equal(a.Parameter.Value.ToArray(), b.Parameter.Value.ToArray());
            }
        }

        Assert.Equal(64, ClipCheckpoint.Find(_folder.Root).Sha256().Length);
        string message = Refuses(_folder.File($"model-00001-of-{shards:D5}.safetensors"));
        Assert.Contains("this looks like one part of several", message);
    }

    // A PyTorch file among the shards, told by its content as always.
    [Fact]
    public void PyTorchsFilesAreCutInTheSameWay()
    {
        using var folder = new TempFolder();
        File.Copy(TestFiles.Data("checkpoints", "zip.pt"), folder.File("pytorch_model-00001-of-00001.bin"));
        using var whole = TensorArchive.Open(folder.File("pytorch_model-00001-of-00001.bin"));
        string map = string.Join(',', whole.Entries.Keys.Select(name => $"\"{name}\": \"pytorch_model-00001-of-00001.bin\""));
        File.WriteAllText(folder.File("pytorch_model.bin.index.json"), $"{{\"weight_map\": {{{map}}}}}");
        using var cut = TensorArchive.Open(folder.File("pytorch_model.bin.index.json"));
        Assert.Equal(whole.Entries.Keys.Order(), cut.Entries.Keys.Order());
        foreach (var (name, entry) in whole.Entries.Where(e => e.Value.DType == DType.Float32))
        {
            Assert.Equal(whole.ReadFloat32(name), cut.ReadFloat32(name));
        }
    }

    [Theory]
    [InlineData("{", "not a readable list of shards")]
    [InlineData("[]", "expected a list of shards with 'weight_map'")]
    [InlineData("""{ "weight_map": {} }""", "'weight_map' is empty")]
    [InlineData("""{ "weight_map": { "logit_scale": 1 } }""", "the tensor 'logit_scale' is said to be in '1', expected the name of a file beside the list")]
    [InlineData("""{ "weight_map": { "logit_scale": "../model.safetensors" } }""", "expected the name of a file beside the list")]
    [InlineData("""{ "weight_map": { "logit_scale": "none.safetensors" } }""", "none.safetensors: no such file")]
    [InlineData("""{ "weight_map": { "other": "model-00001-of-00002.safetensors" } }""", "expected the tensor 'other' here, as ")]
    [InlineData("""{ "weight_map": { "a": "model-00001-of-00002.safetensors", "a": "b" } }""", "not a readable list of shards")]
    public void BadListsAreNamed(string json, string expected)
    {
        Cut(2);
        File.WriteAllText(_folder.File("model.safetensors.index.json"), json);
        Assert.Contains(expected, Refuses(_folder.Root));
    }

    [Fact]
    public void AMissingOrRepeatedShardIsNamed()
    {
        Cut(3);
        File.Copy(_folder.File("model-00001-of-00003.safetensors"), _folder.File("model-00002-of-00003.safetensors"), overwrite: true);
        Assert.Contains("model-00002-of-00003.safetensors: the tensor '", Refuses(_folder.Root));
        File.Delete(_folder.File("model-00002-of-00003.safetensors"));
        Assert.Contains("model-00002-of-00003.safetensors: no such file", Refuses(_folder.Root));
    }

    private void Cut(int shards)
    {
        var whole = EditedArchive.Load(Path.Combine(TinyClip.Folder, "model.safetensors"));
        string[] names = [.. whole.Floats.Keys.Order(StringComparer.Ordinal)];
        var map = new List<string>();
        for (int i = 0; i < shards; i++)
        {
            var part = new EditedArchive();
            string file = $"model-{i + 1:D5}-of-{shards:D5}.safetensors";
            foreach (string name in names.Where((_, n) => n % shards == i))
            {
                part.Floats.Add(name, whole.Floats[name]);
                map.Add($"\"{name}\": \"{file}\"");
            }

            part.Save(_folder.File(file));
        }

        File.WriteAllText(
            _folder.File("model.safetensors.index.json"), $"{{\"metadata\": {{\"total_size\": 1}}, \"weight_map\": {{{string.Join(',', map)}}}}}");
        File.Copy(Path.Combine(TinyClip.Folder, "config.json"), _folder.File("config.json"));
    }

    private static string Refuses(string path)
    {
        using var device = new CpuDevice(1);
        string message = Assert.Throws<InputException>(() => ClipModel.Load(path, device).Dispose()).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }
}
