using System.Diagnostics;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Xunit;

namespace Ldvc.Tests.Serialization;

public class ArchiveFuzzTests
{
    private const int Mutations = 2000;

    [Theory]
    [InlineData("zip.pt")]
    [InlineData("zip-protocol4.pt")]
    [InlineData("zip-nested.pt")]
    [InlineData("legacy.pt")]
    [InlineData("script.pt")]
    [InlineData("expected.safetensors")]
    public void DamageGivesAnInputErrorOrAReadableFile(string file)
    {
        byte[] original = File.ReadAllBytes(TestFiles.Data("checkpoints", file));
        var random = new CounterRandom(11, (ulong)file.Length);
        int refused = 0;
        for (int i = 0; i < Mutations; i++)
        {
            byte[] damaged = Damage(original, ref random);
            var clock = Stopwatch.StartNew();
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using TensorArchive archive = TensorArchive.Open(damaged, "fuzz");
                foreach (string name in archive.Entries.Keys)
                {
                    archive.ReadFloat32(name);
                }
            }
            catch (InputException)
            {
                refused++;
            }

            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"{file}, mutation {i}: {clock.Elapsed}");
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 64 << 20, $"{file}, mutation {i}: too much memory");
        }

        // Damage to the elements themselves goes unnoticed by design; damage to the structure must not.
        Assert.InRange(refused, Mutations / 10, Mutations);
    }

    private static byte[] Damage(byte[] original, ref CounterRandom random)
    {
        byte[] bytes = [.. original];
        switch (random.NextInt(8))
        {
            case 0:
                return bytes[..random.NextInt(bytes.Length)];
            case 1:
                int cut = random.NextInt(bytes.Length);
                return [.. bytes[..cut], .. bytes[Math.Min(bytes.Length, cut + random.NextInt(1, 9))..]];
            case 2:
                int at = random.NextInt(bytes.Length);
                return [.. bytes[..at], (byte)random.NextInt(256), .. bytes[at..]];
            case 3:
                // Numbers at the edges of their range are where bounds checks fail.
                at = random.NextInt(bytes.Length);
                bytes.AsSpan(at, Math.Min(random.NextInt(1, 9), bytes.Length - at)).Fill(random.NextInt(2) == 0 ? (byte)0xFF : (byte)0x7F);
                return bytes;
            default:
                for (int n = random.NextInt(1, 6); n > 0; n--)
                {
                    bytes[random.NextInt(bytes.Length)] = (byte)random.NextInt(256);
                }

                return bytes;
        }
    }
}
