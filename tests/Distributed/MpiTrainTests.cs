using System.Text.Json;
using Ldvc.Tensors.Distributed.Mpi;
using Ldvc.Tests.Data;
using Ldvc.Tests.Training;
using Xunit;

namespace Ldvc.Tests.Distributed;

/// <summary>`mpirun -n 2 ldvc ...` as a user types it, with the launchers of Open MPI and MPICH.</summary>
public sealed class MpiTrainTests
{
    private const string Program = "ldvc.dll";

    [Theory]
    [InlineData("OpenMpi")]
    [InlineData("Mpich")]
    public void TwoProcessesTrainWhatOneTrains(string family)
    {
        MpiLauncher launcher = Launcher(family);
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), alone = data.At("alone"), shared = data.At("shared");
        SmallRun.Train(config, alone, "train.iterations=2");
        (int code, string output, string error, _) = launcher.Run(2, [], [Program, .. SmallRun.Arguments(config, shared, "train.iterations=2")]);
        Assert.True(code == 0, error);
        Assert.Single(output.Split('\n'), line => line.StartsWith("inductive training of ", StringComparison.Ordinal));
        Assert.Contains(": 1 picture of a step each", output);
        float[] expected = RunFiles.Tensors(SmallRun.Checkpoint(alone, 2)), actual = RunFiles.Tensors(SmallRun.Checkpoint(shared, 2));
        double bound = 1e-4 * expected.Max(MathF.Abs);
        Assert.True(expected.Zip(actual).All(pair => Math.Abs(pair.First - pair.Second) <= bound));
        double[] before = Losses(alone), after = Losses(shared);
        Assert.All(before.Zip(after), pair => Assert.Equal(pair.First, pair.Second, 1e-5 * pair.First));
        Assert.Equal(2, after.Length);
    }

    [Fact]
    public void ABrokenPictureEndsTheJobWithOneSentence()
    {
        MpiLauncher launcher = Launcher("Mpich");
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run");

        // Place 3 of the order: the second step's picture of the second process.
        string broken = data.At("mine", "masks", "abcd"[new Ldvc.Data.SampleOrder(0, 4)[3]] + ".png");
        byte[] good = File.ReadAllBytes(broken);
        File.WriteAllBytes(broken, good[..(good.Length / 2)]);
        (int code, _, string error, TimeSpan time) = launcher.Run(
            2, [], [Program, .. SmallRun.Arguments(config, run, "train.checkpoint_every=1000")]);
        Assert.Equal(2, code);
        Assert.StartsWith($"ldvc: rank 1: {broken}: ", Assert.Single(error.Split('\n'), line => line.StartsWith("ldvc:", StringComparison.Ordinal)));
        Assert.Equal([1], RunFiles.AssertReadable(run));
        Assert.True(time < TimeSpan.FromSeconds(60), $"{time}");
    }

    // The other process is in MPI_Init by then, or on its way there.
    [Theory]
    [InlineData("OpenMpi", "--no-such-option", "LDVC_VERBOSE=0", "there is no option '--no-such-option'")]
    [InlineData("Mpich", "--no-such-option", "LDVC_VERBOSE=0", "there is no option '--no-such-option'")]
    [InlineData("Mpich", "--seed", "LDVC_VERBOSE=0", "--seed")]
    [InlineData("Mpich", "--dist=tcp", "LDVC_VERBOSE=0", "--dist: expected auto, none, mpi or nccl, found 'tcp'")]
    [InlineData("Mpich", "--verbose", "LDVC_SIMD=99", "LDVC_SIMD")]
    public void ACommandLineThatOneProcessRefusesEndsTheJob(string family, string option, string variable, string expected)
    {
        MpiLauncher launcher = Launcher(family);
        using var data = new TinyData();
        string[] line = SmallRun.Arguments(SmallRun.OwnConfig(data), data.At("run"), "train.iterations=100000");
        string host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        (int code, _, string error, TimeSpan time) = launcher.Run(
            1, [], [Program, .. line, ":", "-n", "1", "env", variable, host, MpiLauncher.Beside(Program), .. line, option]);
        Assert.Equal(2, code);
        string said = Assert.Single(error.Split('\n'), text => text.StartsWith("ldvc:", StringComparison.Ordinal));
        Assert.StartsWith("ldvc: rank 1 of 2: ", said);
        Assert.Contains(expected, said);
        Assert.True(time < TimeSpan.FromSeconds(60), $"{time}");
    }

    // The two would wait for one another at different places.
    [Theory]
    [InlineData("OpenMpi", "eval", "--training-free", "the verb is eval, but on rank 0 it is train")]
    [InlineData("Mpich", "train", "--resume", "--resume is given, but on rank 0 it is not given")]
    public void CommandLinesThatDifferEndTheJob(string family, string verb, string option, string expected)
    {
        MpiLauncher launcher = Launcher(family);
        using var data = new TinyData();
        string[] line = SmallRun.Arguments(SmallRun.OwnConfig(data), data.At("run"), "train.iterations=100000");
        string host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        (int code, _, string error, TimeSpan time) = launcher.Run(
            1, [], [Program, .. line, ":", "-n", "1", host, MpiLauncher.Beside(Program), verb, .. line[1..], option]);
        Assert.Equal(2, code);
        string said = Assert.Single(error.Split('\n'), text => text.StartsWith("ldvc:", StringComparison.Ordinal));
        Assert.Equal($"ldvc: rank 1: {expected}; expected the same on all 2 processes.", said);
        Assert.False(Directory.Exists(data.At("run")));
        Assert.True(time < TimeSpan.FromSeconds(60), $"{time}");
    }

    private static MpiLauncher Launcher(string family)
    {
        MpiLauncher launcher = MpiLauncher.All.Single(each => each.Family == Enum.Parse<MpiFamily>(family));
        launcher.Need();
        return launcher;
    }

    private static double[] Losses(string run) =>
    [
        .. File.ReadLines(Path.Combine(run, "metrics.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(line => line.TryGetProperty("loss", out _)).Select(line => line.GetProperty("loss").GetDouble()),
    ];
}
