using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Serialization;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Training;

public sealed class CheckpointFolderTests
{
    [Fact]
    public void KeepsTheNewestAndThePinned()
    {
        using var folder = new TempFolder();
        var checkpoints = new CheckpointFolder(folder.File("c"), 2, _ => Assert.Fail("no warning expected"), 20);
        Assert.Null(checkpoints.Latest());
        foreach (int step in new[] { 10, 20, 30, 40, 50 })
        {
            Assert.Equal(checkpoints.PathOf(step), checkpoints.Save(step, Content(step)));
        }

        Assert.Equal([20, 40, 50], checkpoints.All().Select(c => c.Step));
        Assert.Equal("ckpt-00000050.safetensors", Path.GetFileName(checkpoints.Latest()!.Value.Path));
        using TensorArchive archive = TensorArchive.Open(checkpoints.PathOf(40));
        float[] value = new float[1];
        archive.ReadFloat32("w", value);
        Assert.Equal(40, value[0]);
    }

    [Fact]
    public void UnreadableOnesArePassedOverWithAMessage()
    {
        using var folder = new TempFolder();
        var warnings = new List<string>();
        var checkpoints = new CheckpointFolder(folder.Root, 3, warnings.Add);
        checkpoints.Save(1, Content(1));
        checkpoints.Save(2, Content(2));
        byte[] whole = File.ReadAllBytes(checkpoints.PathOf(2));
        File.WriteAllBytes(checkpoints.PathOf(3), whole[..^2]);
        File.WriteAllBytes(checkpoints.PathOf(4), []);
        Assert.Equal(2, checkpoints.Latest()!.Value.Step);
        Assert.Equal(2, warnings.Count);
        Assert.Contains("ckpt-00000004.safetensors", warnings[0]);
    }

    // The folder of another user, a disk that comes back: a run that began anew would cost days.
    [Fact]
    public void WhereNoneCanBeReadNothingBeginsAnew()
    {
        using var folder = new TempFolder();
        var checkpoints = new CheckpointFolder(folder.Root, 3, _ => { });
        File.WriteAllText(checkpoints.PathOf(10), "damaged");
        File.WriteAllText(checkpoints.PathOf(20), "damaged");
        string message = Assert.Throws<InputException>(() => checkpoints.Latest()).Message;
        Assert.StartsWith(
            $"{folder.Root}: expected a checkpoint that can be read, found 2 that cannot: {checkpoints.PathOf(20)}: ", message,
            StringComparison.Ordinal);
        Assert.EndsWith("; repair one, or remove them all to begin the run anew.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void OtherFilesAreNeitherUsedNorDeleted()
    {
        using var folder = new TempFolder();
        string[] others = [".ckpt-00000009.safetensors.1-2.tmp", "ckpt-9.safetensors", "ckpt-best.safetensors", "ckpt-00000009.safetensors.bak",
            "notes.txt"];
        foreach (string name in others)
        {
            File.WriteAllText(folder.File(name), "x");
        }

        var checkpoints = new CheckpointFolder(folder.Root, 1, _ => Assert.Fail("no warning expected"));
        checkpoints.Save(1, Content(1));
        checkpoints.Save(2, Content(2));
        Assert.Equal([2], checkpoints.All().Select(c => c.Step));
        Assert.All(others, name => Assert.True(File.Exists(folder.File(name)), name));
    }

    [Fact]
    public void AfterGoingBackTheCheckpointJustWrittenIsNotTheOneDeleted()
    {
        using var folder = new TempFolder();
        var checkpoints = new CheckpointFolder(folder.Root, 1, _ => { });
        File.WriteAllText(checkpoints.PathOf(100), "damaged");
        checkpoints.Save(50, Content(50));
        Assert.Equal(50, checkpoints.Latest()!.Value.Step);
    }

    [Fact]
    public void AFailedSaveLeavesNothingBehind()
    {
        using var folder = new TempFolder();
        var checkpoints = new CheckpointFolder(folder.Root, 1, _ => { });
        checkpoints.Save(1, Content(1));
        var failing = new SafetensorsWriter();
        failing.AddFloat32("w", [1], (_, _) => throw new IOException("disk full"));
        Assert.Contains("disk full", Assert.Throws<InputException>(() => checkpoints.Save(2, failing)).Message);
        Assert.Equal(["ckpt-00000001.safetensors"], Directory.EnumerateFiles(folder.Root).Select(Path.GetFileName));
    }

    private static SafetensorsWriter Content(int step)
    {
        var writer = new SafetensorsWriter();
        writer.AddFloat32("w", [1], new float[] { step });
        return writer;
    }
}
