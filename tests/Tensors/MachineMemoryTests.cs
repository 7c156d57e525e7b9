using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Tensors;

/// <summary>What is left of the machine's memory, and what a CPU device does at the end of it: Linux would kill the process.</summary>
public sealed class MachineMemoryTests : IDisposable
{
    private const long MiB = 1L << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("ldvc-memory").FullName;

    [Theory]
    [InlineData("0::/", "", "max", "memory.", "", 24 + 2)]
    [InlineData("0::/", "", "8388608", "memory.", "", 7 + 2)]
    [InlineData("0::/", "", "8388608", "memory.", "inactive_file 2097152\nactive_file 1048576\n", 10 + 2)]
    [InlineData("0::/", "", "524288", "memory.", "", 0 + 2)]
    [InlineData("0::/user.slice/app.scope", "user.slice", "4194304", "memory.", "", 3 + 2)]
    [InlineData("0::/docker/of-the-host", "", "4194304", "memory.", "", 3 + 2)]
    [InlineData("0::/", "", "no number", "memory.", "", 24 + 2)]
    [InlineData("0::/", "", "", "memory.", "", 24 + 2)]
    [InlineData("0::/", "elsewhere", "4194304", "memory.", "", 24 + 2)]
    [InlineData("3:cpuset:/\n4:memory:/a/b", "memory/a/b", "3145728", "", "", 2 + 2)]
    [InlineData("4:cpu,memory:/a/b", "memory", "3145728", "", "total_inactive_file 1048576\n", 3 + 2)]
    [InlineData("4:memory:/", "memory", "9223372036854771712", "", "", 24 + 2)]
    [InlineData("nonsense", "", "1048576", "memory.", "", 24 + 2)]
    public void WhatAContainerHasLeftCounts(string group, string folder, string limit, string version, string kept, long expected)
    {
        string proc = Path.Combine(_folder, "proc"), groups = Path.Combine(_folder, "cgroup"), at = Path.Combine(groups, folder);
        Write(Path.Combine(proc, "meminfo"), "MemTotal:       65536 kB\nMemAvailable:   24576 kB\nSwapTotal:  4096 kB\nSwapFree: 2048 kB\n");
        Write(Path.Combine(proc, "self", "cgroup"), group + "\n");
        Write(Path.Combine(at, version.Length > 0 ? "memory.max" : "memory.limit_in_bytes"), limit + "\n");
        Write(Path.Combine(at, version.Length > 0 ? "memory.current" : "memory.usage_in_bytes"), $"{MiB}\n");
        Write(Path.Combine(at, "memory.stat"), "anon 77\n" + kept);
        Assert.Equal(expected * MiB, MachineMemory.Left(proc, groups));
    }

    [Theory]
    [InlineData("4 4096", "4 1024", 10 * 1024 + 3072)]
    [InlineData("4 1024", "4 4096", 10 * 1024)]
    [InlineData("4 much", "4 4096", 10 * 1024)]
    public void TheCacheOfZfsGivesWay(string size, string least, int expected)
    {
        Write(Path.Combine(_folder, "meminfo"), "MemAvailable: 10 kB\n");
        Write(
            Path.Combine(_folder, "spl", "kstat", "zfs", "arcstats"),
            $"13 1 0x01\nname  type data\nhits  4    7\nc_min   {least}\nsize    {size}\n");
        Assert.Equal(expected, MachineMemory.Left(_folder, _folder));
    }

    [Theory]
    [InlineData("")]
    [InlineData("MemAvailable: many kB\n")]
    [InlineData("MemAvailable: 9223372036854775807 kB\n")]
    [InlineData("MemAvailable:\n")]
    public void WithoutAWordThereIsNoEnd(string text)
    {
        Write(Path.Combine(_folder, "meminfo"), text);
        Assert.Equal(long.MaxValue, MachineMemory.Left(_folder, _folder));
        Assert.Equal(long.MaxValue, MachineMemory.Left(Path.Combine(_folder, "none"), _folder));
    }

    [Fact]
    public void ThisMachineHasSomeLeft() => Assert.InRange(MachineMemory.Left(), 64 * MiB, long.MaxValue);

    [Fact]
    public void WhatCannotFitIsRefusedWithASentence()
    {
        using CpuDevice device = With(64 * MiB);
        using Tensor first = Floats(device, 40);
        var error = Assert.Throws<InputException>(() => Floats(device, 40));
        Assert.Equal(
            "cpu: out of memory for Float32 [10485760], 40 MiB wanted, 40 MiB in use by tensors, the machine has 24 MiB left; a smaller batch or "
                + "picture may fit",
            error.Message);
        using Tensor last = Floats(device, 24);
        Assert.Equal(64 * MiB, device.Pool.ReservedBytes);
    }

    [Fact]
    public void BlocksThatAreKeptMakeRoom()
    {
        using CpuDevice device = With(64 * MiB);
        foreach (int size in new[] { 40, 48, 56, 32, 40, 64 })
        {
            Floats(device, size).Dispose();
            Assert.InRange(device.Pool.ReservedBytes, size * MiB, 64 * MiB);
        }
    }

    // 65 MiB lie in a block of 72, of which 65 are written to.
    [Fact]
    public void TheRestOfABlockIsNotCounted()
    {
        using CpuDevice device = With(66 * MiB);
        using Tensor all = Floats(device, 65);
        Assert.Equal(72 * MiB, device.Pool.ReservedBytes);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // A machine whose memory is this device's alone.
    private static CpuDevice With(long bytes)
    {
        CpuDevice? device = null;
        device = new CpuDevice(1) { Left = () => bytes - device!.Pool.ReservedBytes };
        return device;
    }

    private static Tensor Floats(Device device, int mebibytes) => device.Empty(new Shape((int)(mebibytes * MiB / sizeof(float))));

    private static void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
