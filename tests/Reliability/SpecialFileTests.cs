using System.Runtime.InteropServices;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Serialization;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Reliability;

/// <summary>Devices have no end, and a pipe is opened when somebody writes to it: neither is a file, wherever a path leads to it.</summary>
public sealed partial class SpecialFileTests
{
    // A link in the place of each file that the program opens.
    private static readonly Dictionary<string, (string Name, Action<string> Open)> Places = new()
    {
        ["weights"] = ("x.pt", path => TensorArchive.Open(path).Dispose()),
        ["a list of shards"] = ("x.index.json", path => TensorArchive.Open(path).Dispose()),
        ["the digest of a CLIP's file"] = ("x.pt", path => ClipCheckpoint.Find(path).Sha256()),
        ["a picture"] = ("x.png", path => ImageReader.Read(path)),
        ["a mask"] = ("x.png", path => LabelFile.Read(path)),
        ["a mask with colours"] = ("x.png", path => MaskPicture.Read(path)),
        ["class names"] = ("x.txt", path => ClassList.FromFile(path)),
        ["colours"] = ("x.txt", path => MaskColours.Read(path)),
        ["class embeddings"] = ("x.npy", path => NpyFile.Read(path, 10)),
        ["a configuration"] = ("x.yaml", path => ConfigLoader.Load(path)),
        ["a CLIP's configuration"] = ("config.json", path => HuggingFaceConfig.Read(path)),
        ["open_clip's configuration"] = (OpenClipConfig.FileName, path => OpenClipConfig.Read(path)),
        ["a preprocessor's configuration"] =
            (PreprocessorConfigReader.FileName, path => PreprocessorConfigReader.Load(Path.GetDirectoryName(path)!, TinyClip.Config)),
        ["a tokenizer"] = (VocabularyFiles.Tokenizer, path => ClipTokenizer.Load(Path.GetDirectoryName(path)!)),
        ["OpenAI's merges"] = (VocabularyFiles.OpenAi, path => ClipTokenizer.Load(Path.GetDirectoryName(path)!)),
        ["a log"] = ("metrics.jsonl", path => MetricsLog.Open(path, 1).Dispose()),
        ["a result"] = ("x.json", path => JsonText.Read<int>(path)),
        ["a file to write"] = ("x.json", path => Ldvc.Tensors.Serialization.AtomicFile.WriteText(path, "{}")),
    };

    public static TheoryData<string> Cases => [.. Places.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void DevicesAndPipesAreRefused(string what)
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // Elsewhere it cannot be told.
        }

        var (name, open) = Places[what];
        foreach (string kind in new[] { "device", "pipe" })
        {
            using var folder = new TempFolder();
            string path = folder.File(name);
            if (kind == "pipe")
            {
                Assert.Equal(0, MakePipe(path, 0x1B6));
            }
            else
            {
                File.CreateSymbolicLink(path, "/dev/zero");
            }

            string message = Assert.Throws<InputException>(() => open(path)).Message;
            Assert.Contains($"{path}: expected a file", message);
            Assert.Contains($"a {kind}", message);
            Assert.Equal([name], Directory.GetFileSystemEntries(folder.Root).Select(Path.GetFileName));
        }
    }

    [Fact]
    public void FilesAndWhatIsMissingAreNotSpecial()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("x"), "");
        File.CreateSymbolicLink(folder.File("link"), folder.File("x"));
        Assert.All(
            new[] { folder.File("x"), folder.File("link"), folder.File("none"), folder.Root, "a\0b", "" },
            path => Assert.Null(FileKind.Special(path)));
    }

    // A folder of links to one's pictures is no way to lose them.
    [Fact]
    public void AResultTakesTheLinksPlaceAndNotTheFilesBehindIt()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("picture"), "kept");
        File.CreateSymbolicLink(folder.File("result"), folder.File("picture"));
        Ldvc.Tensors.Serialization.AtomicFile.WriteText(folder.File("result"), "new");
        Assert.Equal(("kept", "new"), (File.ReadAllText(folder.File("picture")), File.ReadAllText(folder.File("result"))));
        Assert.Null(File.ResolveLinkTarget(folder.File("result"), returnFinalTarget: false));
    }

    // What grows while it is read, and what the system makes up: its length is 0.
    [Fact]
    public void LengthsAreCountedWhileReading()
    {
        using var folder = new TempFolder();
        byte[] content = [.. Enumerable.Range(0, 100_000).Select(i => (byte)i)];
        File.WriteAllBytes(folder.File("x"), content);
        Assert.Equal(content, PlainFile.ReadAll(folder.File("x"), 100_000));
        Assert.Contains(
            "100000 bytes, expected at most 99999", Assert.Throws<InputException>(() => PlainFile.ReadAll(folder.File("x"), 99_999)).Message);
        if (OperatingSystem.IsLinux())
        {
            Assert.Equal(
                File.ReadAllText("/proc/self/cmdline"), System.Text.Encoding.UTF8.GetString(PlainFile.ReadAll("/proc/self/cmdline", 1 << 20)));
            Assert.Contains("more than 3 bytes", Assert.Throws<InputException>(() => PlainFile.ReadAll("/proc/self/status", 3)).Message);
        }
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);
}
