using Ldvc.Tensors.Distributed.Mpi;
using Xunit;

namespace Ldvc.Tests.Distributed;

/// <summary>Real processes, started by the launchers of Open MPI and MPICH: what they compute together, and how they end.</summary>
public sealed class MpiTests
{
    private const string Worker = "Ldvc.Worker.dll";

    [Theory]
    [InlineData("OpenMpi", 2)]
    [InlineData("OpenMpi", 3)]
    [InlineData("Mpich", 2)]
    [InlineData("Mpich", 3)]
    public void EveryOperationAtEveryLength(string family, int processes)
    {
        MpiLauncher launcher = Launcher(family);
        (int code, string output, string error, _) = launcher.Run(processes, [], Worker, "auto", "collectives");
        Assert.True(code == 0, error);

        // Launched by one library's mpirun while both are installed: the library is that one's, and the processes see each other.
        string name = launcher.Family == MpiFamily.OpenMpi ? "Open MPI" : "MPICH";
        Assert.Matches($@"^{processes} processes, {name} [\d.]+\w*: \d+ checks, [0-9A-F]{{64}}\s*$", output);
    }

    [Theory]
    [InlineData("OpenMpi")]
    [InlineData("Mpich")]
    public void TheSameNumberOfProcessesGivesTheSameBits(string family)
    {
        MpiLauncher launcher = Launcher(family);
        string first = launcher.Run(3, [], Worker, "mpi", "collectives").Out;
        Assert.Contains("checks", first);
        Assert.Equal(first, launcher.Run(3, [], Worker, "mpi", "collectives").Out);
    }

    [Theory]
    [InlineData("OpenMpi", 1)]
    [InlineData("OpenMpi", 0)]
    [InlineData("Mpich", 2)]
    [InlineData("Mpich", -1)]
    public void AProcessThatFailsEndsAllWithOneSentence(string family, int victim)
    {
        (int code, string output, string error, TimeSpan time) = Launcher(family).Run(3, [], Worker, "auto", "fail", $"{victim}");
        Assert.Equal((2, ""), (code, output));

        // When all fail, any of them may be the one that is heard.
        string rank = victim < 0 ? "[0-2]" : $"{victim}";
        string said = Assert.Single(error.Split('\n'), line => line.Contains("worker:", StringComparison.Ordinal)).Trim();
        Assert.Matches($"^worker: rank {rank} of 3: picture\\.png: expected a picture, found a text\\.$", said);
        Assert.True(time < TimeSpan.FromSeconds(20), $"{time}");
    }

    [Theory]
    [InlineData("OpenMpi", "die", 1)]
    [InlineData("OpenMpi", "leave", 2)]
    [InlineData("Mpich", "die", 0)]
    [InlineData("Mpich", "leave", 1)]
    public void AProcessThatIsGoneEndsAll(string family, string how, int victim)
    {
        (int code, _, _, TimeSpan time) = Launcher(family).Run(3, ["LDVC_MPI_TIMEOUT=5"], Worker, "auto", how, $"{victim}");

        // MPICH's launcher gives the code of the one that left.
        Assert.True(code != 0 || how == "leave", $"{code}");
        Assert.True(time < TimeSpan.FromSeconds(30), $"{time}");
    }

    [Theory]
    [InlineData("OpenMpi", 2)]
    [InlineData("Mpich", 0)]
    public void AProcessThatHangsIsNoticed(string family, int victim)
    {
        // Stopped, not killed: no launcher sees anything.
        (int code, _, string error, TimeSpan time) = Launcher(family).Run(3, ["LDVC_MPI_TIMEOUT=5"], Worker, "auto", "stop", $"{victim}");
        Assert.NotEqual(0, code);
        Assert.Contains($"rank {victim} has given no sign of life for 5 s", error);
        Assert.True(time < TimeSpan.FromSeconds(30), $"{time}");
    }

    [Theory]
    [InlineData("OpenMpi")]
    [InlineData("Mpich")]
    public void TheOtherFamilysLibraryIsRefused(string family)
    {
        MpiLauncher launcher = Launcher(family);
        MpiLauncher other = MpiLauncher.All.Single(one => one.Family != launcher.Family);
        other.Need();
        (int code, string output, string error, _) = launcher.Run(2, [$"LDVC_MPI_LIBRARY={other.Library}"], Worker, "auto", "collectives");
        Assert.Equal((2, ""), (code, output));
        Assert.Matches(
            $@"worker: mpirun of .* with 2 processes \(\w+=2\) started this process, but the library found is .* \({other.Library}\)", error);
    }

    [Theory]
    [InlineData("OpenMpi")]
    [InlineData("Mpich")]
    public void ALibraryThatIsNoneIsRefused(string family)
    {
        (int code, _, string error, _) = Launcher(family).Run(2, ["LDVC_MPI_LIBRARY=libm.so.6"], Worker, "auto", "collectives");
        Assert.Equal(2, code);
        Assert.Contains("worker: libm.so.6: expected a library of MPI 3.0 or newer, but it has no MPI_Initialized.", error);
    }

    [Theory]
    [InlineData("OpenMpi")]
    [InlineData("Mpich")]
    public void AVerbOfOneProcessStops(string family)
    {
        MpiLauncher launcher = Launcher(family);
        (int code, string output, string error, _) = launcher.Run(2, [], "ldvc.dll", "demo", "--out", "never");
        Assert.Equal((2, ""), (code, output));
        Assert.Matches(
            @"ldvc: ldvc demo runs in one process, found mpirun of (Open MPI|MPICH) with 2 processes \(\w+=2\): start it without the launcher",
            error);
    }

    private static MpiLauncher Launcher(string family)
    {
        MpiLauncher launcher = MpiLauncher.All.Single(one => one.Family.ToString() == family);
        launcher.Need();
        return launcher;
    }
}
