using Ldvc.Autograd.Modules;
using Ldvc.Fuzz;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Data;
using Ldvc.Tests.Serialization;
using Ldvc.Tests.Training;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Reliability;

/// <summary>Damage that leaves a file readable is seen by its checksums; numbers that are none are seen without.</summary>
public sealed class ChecksumTests
{
    [Fact]
    public void EveryChangedBitIsSeen()
    {
        byte[] file = FuzzSeeds.WithChecksums();
        int data = 8 + (int)BitConverter.ToInt64(file);
        Assert.Empty(Read(file));
        for (int at = 0; at < file.Length; at++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                file[at] ^= (byte)(1 << bit);
                string message = Assert.Throws<InputException>(() => Read(file)).Message;
                if (at >= data)
                {
                    // Six float32 "w", then three float16 "h": wider types come first.
                    Assert.Contains($"f: tensor '{(at < data + 24 ? 'w' : 'h')}' is damaged: its bytes have the checksum ", message);
                }

                file[at] ^= (byte)(1 << bit);
            }
        }

        Assert.Empty(Read(file));
    }

    [Fact]
    public void FilesWithoutChecksumsAreReadAndOneOfTheTwoAloneIsNot()
    {
        byte[] Written(params string[] keys)
        {
            var writer = new SafetensorsWriter();
            Array.ForEach(keys, key => writer.SetAny(key, "00000000"));
            writer.AddFloat32("w", [1], new float[] { 1 });
            using var file = new MemoryStream();
            writer.Write(file);
            return file.ToArray();
        }

        Assert.Empty(Read(Written()));
        foreach (string[] keys in new string[][] { ["crc32c"], ["header_crc32c"], ["crc32c", "header_crc32c"] })
        {
            Assert.Contains("the header is damaged", Assert.Throws<InputException>(() => Read(Written(keys))).Message);
        }
    }

    [Fact]
    public void TheChecksumIsTheKnownOne()
    {
        Assert.Equal(0xE3069283u, Crc32C.Of("123456789"u8));
        Assert.Equal(Crc32C.Of("123456789"u8), Crc32C.Of("6789"u8, Crc32C.Of("12345"u8)));
    }

    // The optimiser's state is not needed to label pictures, and damage there is damage all the same.
    [Fact]
    public void ADamagedCheckpointIsRefusedAndPassedOver()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run");
        SmallRun.Train(config, run, "train.iterations=2", "train.checkpoint_every=1", "train.keep=2", "eval.limit=1");
        string first = SmallRun.Checkpoint(run, 1), second = SmallRun.Checkpoint(run, 2);
        byte[] whole = File.ReadAllBytes(second), damaged = [.. whole];
        damaged[^1000] ^= 4;
        File.WriteAllBytes(second, damaged);
        string error = CommandLine.Refuses("export", "--checkpoint", second, "--out", data.At("lean.safetensors"), "--lean");
        Assert.Matches("tensor '[a-z0-9_.]+' is damaged: its bytes have the checksum [0-9a-f]{8}, expected [0-9a-f]{8}", error);
        Assert.Contains("is damaged", CommandLine.Refuses([.. SmallRun.Verb("eval", config), "--checkpoint", second]));
        var warnings = new List<string>();
        Assert.Equal(first, new CheckpointFolder(RunFolder.CheckpointsOf(run), 2, warnings.Add).Latest()!.Value.Path);
        Assert.Contains("checkpoint skipped: ", Assert.Single(warnings));

        // A lean copy has its own.
        File.WriteAllBytes(second, whole);
        Assert.Equal(0, CommandLine.Run("export", "--checkpoint", second, "--out", data.At("lean.safetensors"), "--lean").Code);
        using TensorArchive lean = TensorArchive.Open(data.At("lean.safetensors"));
        Assert.All(lean.Entries.Keys, name => Assert.NotNull(lean.ChecksumOfTensor(name)));
        Assert.DoesNotContain("crc32c", lean.Metadata.Keys);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void WeightsThatAreNoNumbersAreRefusedAndChangeNothing(float wrong)
    {
        using var folder = new TempFolder();
        using var device = new CpuDevice(1);
        using var model = new Linear(new Initializer(device, 3), 2, 2);
        float[] before = model.Weight.Value.ToArray();
        var writer = new SafetensorsWriter();
        writer.AddFloat32("weight", [2, 2], new float[] { 1, 2, 3, 4 });
        writer.AddFloat32("bias", [2], new float[] { 0, wrong });
        writer.Save(folder.File("m.safetensors"));
        string message = Assert.Throws<InputException>(() => model.Load(folder.File("m.safetensors"))).Message;
        Assert.Contains("tensor 'bias' holds ", message);
        Assert.EndsWith(" at element 1, expected finite numbers.", message);
        Assert.Equal(before, model.Weight.Value.ToArray());
    }

    private static Dictionary<string, string> Read(byte[] file)
    {
        using TensorArchive archive = TensorArchive.Open(file, "f");
        foreach (string name in archive.Entries.Keys)
        {
            archive.ReadFloat32(name);
        }

        archive.Verify();
        return archive.Metadata.Where(pair => pair.Key != "step").ToDictionary();
    }
}
