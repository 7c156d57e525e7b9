using System.Text;
using Ldvc.Clip;
using Ldvc.Imaging.Writing;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Tests.Serialization;
using Ldvc.Tests.Training;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Reliability;

/// <summary>
/// The disk is full at every step of writing in turn. Afterwards nothing is half-written: what was there is there, byte by byte, or the new file is,
/// and the program has said so in one sentence.
/// </summary>
[Collection("full disk")]
public sealed class FullDiskTests
{
    private static readonly Dictionary<string, (Action<string> Write, string[] Files)> Writers = new()
    {
        ["a file"] = (root => AtomicFile.WriteText(Path.Combine(root, "a"), new string('n', 100_000)), ["a"]),
        ["two files"] = (
            root =>
            {
                using var files = new AtomicFiles();
                files.Add(Path.Combine(root, "a"), stream => stream.Write("new a"u8));
                files.Add(Path.Combine(root, "b"), stream => stream.Write("new b"u8));
                files.Commit();
            }, ["a", "b"]),
        ["tensors with checksums"] = (
            root =>
            {
                var writer = new SafetensorsWriter { Checksums = true };
                writer.AddFloat32("w", [200_000], new float[200_000]);
                writer.Save(Path.Combine(root, "a"));
            }, ["a"]),
        ["a folder"] = (
            root => AtomicFolder.Write(Path.Combine(root, "folder"), folder => AtomicFile.WriteText(Path.Combine(folder, "a"), "new")), ["folder/a"]),
    };

    public static TheoryData<string> Cases => [.. Writers.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void AFullDiskLeavesTheOldOrTheNew(string what)
    {
        var (write, files) = Writers[what];
        Dictionary<string, string> whole = AtEveryStep(write, files);
        Assert.Equal(files, whole.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void AFileInAFolderIsCalledByTheNameThatItWasToGet()
    {
        using var root = new TempFolder();
        string folder = root.File("clip");
        string message = Assert.Throws<InputException>(
            () => AtomicFolder.Write(folder, inside => AtomicFile.Write(Path.Combine(inside, "a"), _ => throw new IOException("full")))).Message;
        Assert.Equal($"{Path.Combine(folder, "a")}: cannot be written (full)", message);
    }

    [Fact]
    public void ALogKeepsItsLinesWhole()
    {
        using var folder = new TempFolder();
        string path = folder.File("metrics.jsonl");
        File.WriteAllText(path, "{\"step\":1,\"loss\":1}\n");
        using (new FullDisk(folder.Root, fails: 1))
        using (var log = MetricsLog.Open(path, 1))
        {
            Assert.Contains(
                "metrics.jsonl: cannot be written (No space left", Assert.Throws<InputException>(() => log.Append(2, ("loss", 2))).Message);
            log.Append(3, ("loss", 3));
        }

        Assert.Equal("{\"step\":1,\"loss\":1}\n{\"step\":3,\"loss\":3}\n", File.ReadAllText(path));
        byte[] events;
        using (new FullDisk(folder.Root, fails: 2))
        using (var board = new TensorBoardWriter(folder.Root))
        {
            events = Shared(board.FilePath);
            Assert.Contains("cannot be written", Assert.Throws<InputException>(() => board.Scalars(1, ("loss", 1))).Message);
            Assert.Equal(events, Shared(board.FilePath));
        }
    }

    // Every file that a picture's results are in, with those of an earlier run in their places.
    [Fact]
    public void APicturesResultsAreThoseOfOneRun()
    {
        using var data = new TinyData();
        string picture = data.At("p.png"), results = data.At("out");
        ImageWriter.WritePng(TinyData.Pattern(20, 20), picture);
        string[] Line(string classes) =>
            ["segment", picture, "--clip", TinyClip.Folder, "--classes", classes, "--out", results, "--save", "overlay,masks", "--size", "32",
                "--window", "32", "--stride", "32", "--threads", "1"];
        Assert.Equal(0, CommandLine.Run(Line("cat, dog")).Code);
        Directory.CreateDirectory(data.At("old"));
        Copy(results, data.At("old"));
        Dictionary<string, string> old = Content(results);
        int steps;
        using (var disk = new FullDisk(results, -1))
        {
            Assert.Equal(0, CommandLine.Run(Line("a cow, grass, sky")).Code);
            steps = disk.Steps;
        }

        Dictionary<string, string> fresh = Content(results);
        Assert.NotEqual(old["p.json"], fresh["p.json"]);
        foreach (int fails in new[] { 1, steps / 2, steps - 1 })
        {
            Directory.Delete(results, recursive: true);
            Copy(data.At("old"), results);
            using (new FullDisk(results, fails))
            {
                (int code, _, string error) = CommandLine.Run(Line("a cow, grass, sky"));
                Assert.Equal(2, code);
                Assert.Contains("cannot be written (No space left on device", error);
                Assert.Equal(1, error.Count(c => c == '\n'));
            }

            Dictionary<string, string> now = Content(results);
            Assert.DoesNotContain(now.Keys, name => name.EndsWith(".tmp", StringComparison.Ordinal));
            Assert.All(
                now, file => Assert.True(file.Value == old.GetValueOrDefault(file.Key) || file.Value == fresh.GetValueOrDefault(file.Key), file.Key));
            Assert.True(
                !now.TryGetValue("p.json", out string? says) || (says == old["p.json"] && now["p.png"] == old["p.png"]), $"step {fails} of {steps}");
        }
    }

    // Embeddings of one model beside another one: labels of neither.
    [Fact]
    public void AnExportIsOfOneModel()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), model = data.At("out", "model.onnx"), results = Path.GetDirectoryName(model)!;
        SmallRun.Train(config, data.At("run"), "train.iterations=1");
        string[] Line(string classes, string size) =>
            ["export", "--checkpoint", data.At("run"), "--out", model, "--classes", classes, "--size", size];
        Assert.Equal(0, CommandLine.Run(Line("cat, dog", "64x64")).Code);
        Dictionary<string, string> old = Content(results);
        int[] edges;
        using (var disk = new FullDisk(results, -1))
        {
            Assert.Equal(0, CommandLine.Run(Line("a cow, grass, sky", "64x64")).Code);
            edges = [.. disk.Edges.TakeWhile(step => step < disk.Steps - 3)];
        }

        // Writing comes first, the names last, one for each of the three files; the first steps are the probe's.
        Assert.True(edges.Length >= 8);
        foreach (int fails in edges)
        {
            old = Content(results);
            using (new FullDisk(results, fails))
            {
                Assert.Contains("cannot be written (No space left on device", CommandLine.Refuses(Line("cat, dog", "32x32")));
            }

            Assert.Equal(old, Content(results));
        }
    }

    private static Dictionary<string, string> AtEveryStep(Action<string> write, string[] files)
    {
        using var counted = new TempFolder();
        int steps;
        using (var disk = new FullDisk(counted.Root, -1))
        {
            write(counted.Root);
            steps = disk.Steps;
        }

        Dictionary<string, string> whole = Content(counted.Root);
        Assert.True(steps >= 4);
        foreach (bool once in new[] { true, false })
        {
            for (int fails = 0; fails < steps; fails++)
            {
                using var folder = new TempFolder();
                foreach (string file in files.Where(file => !file.Contains('/')))
                {
                    File.WriteAllText(folder.File(file), "old");
                }

                using (new FullDisk(folder.Root, fails, once))
                {
                    Assert.Contains("cannot be written (No space left on device", Assert.Throws<InputException>(() => write(folder.Root)).Message);
                }

                Dictionary<string, string> now = Content(folder.Root);
                Assert.Equal(files.Where(file => !file.Contains('/')), now.Keys.Order(StringComparer.Ordinal));
                Assert.All(now, file => Assert.True(file.Value == "old" || file.Value == whole[file.Key], $"step {fails}: {file.Key}"));
            }
        }

        return whole;
    }

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private static Dictionary<string, string> Content(string root) => Directory.GetFiles(root, "*", SearchOption.AllDirectories)
        .ToDictionary(file => Path.GetRelativePath(root, file).Replace('\\', '/'), file => Encoding.Latin1.GetString(File.ReadAllBytes(file)));

    private static byte[] Shared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var memory = new MemoryStream();
        file.CopyTo(memory);
        return memory.ToArray();
    }
}
