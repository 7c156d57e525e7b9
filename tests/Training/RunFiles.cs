using Ldvc.Model;
using Ldvc.Tensors.Serialization;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Training;

/// <summary>What lies in a run's folder.</summary>
internal static class RunFiles
{
    /// <summary>All numbers of a checkpoint, moments included, in order of their names.</summary>
    public static float[] Tensors(string path)
    {
        using var archive = TensorArchive.Open(path);
        return [.. archive.Entries.Keys.Order(StringComparer.Ordinal).SelectMany(name => archive.ReadFloat32(name))];
    }

    /// <summary>Every file with a checkpoint's name must be one, whole; returns the steps.</summary>
    public static int[] AssertReadable(string run)
    {
        string folder = Path.Combine(run, "checkpoints");
        string[] files = Directory.Exists(folder) ? [.. Directory.GetFiles(folder, "ckpt-*.safetensors").Order(StringComparer.Ordinal)] : [];
        return [.. files.Select(file =>
        {
            using LdvcCheckpoint checkpoint = LdvcCheckpoint.Open(file);
            Assert.All(Tensors(file), value => Assert.True(float.IsFinite(value)));
            Assert.Equal(SmallRun.Checkpoint(run, (int)checkpoint.Step), file);
            return (int)checkpoint.Step;
        })];
    }
}
