using Ldvc.App.Doctor;
using Ldvc.Tensors;
using Ldvc.Tensors.Distributed;
using Ldvc.Tensors.Distributed.Launch;
using Ldvc.Tensors.Distributed.Mpi;
using Ldvc.Tests.Cli;
using Xunit;

namespace Ldvc.Tests.Distributed;

/// <summary>What the environment says about who started a process, and what follows from it before any library is initialised.</summary>
public sealed class LauncherTests
{
    [Theory]
    [InlineData("", null)]
    [InlineData("PATH=/bin HOME=/root", null)]
    [InlineData("OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=2 PMIX_RANK=2", "mpirun of Open MPI with 4 processes "
        + "(OMPI_COMM_WORLD_SIZE=4)|OpenMpi|4|2")]
    [InlineData("PMI_SIZE=3 PMI_RANK=0", "mpirun of MPICH with 3 processes (PMI_SIZE=3)|Mpich|3|0")]
    [InlineData("PMI_SIZE=1 PMI_RANK=0", "mpirun of MPICH with 1 process (PMI_SIZE=1)|Mpich|1|0")]
    [InlineData("MV2_COMM_WORLD_SIZE=2 MV2_COMM_WORLD_RANK=1", "mpirun of MVAPICH with 2 processes (MV2_COMM_WORLD_SIZE=2)|Mpich|2|1")]
    [InlineData("SLURM_NTASKS=4 SLURM_PROCID=3", "srun of Slurm with 4 processes (SLURM_NTASKS=4)||4|3")]
    [InlineData("SLURM_JOB_ID=7 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=8 SLURM_NTASKS=16 "
        + "SLURM_PROCID=5", "srun of Slurm with 8 processes (SLURM_STEP_NUM_TASKS=8)||8|5")]
    [InlineData("SLURM_JOB_ID=7 SLURM_STEP_ID=0 SLURM_NTASKS=8 PMI_SIZE=8 PMI_RANK=1", "srun of Slurm with 8 processes (PMI_SIZE=8)||8|1")]
    [InlineData("SLURM_JOB_ID=7 SLURM_NTASKS=16", null)]
    [InlineData("SLURM_JOB_ID=7 SLURM_NTASKS=16 OMPI_COMM_WORLD_SIZE=16", "mpirun of Open MPI with 16 processes "
        + "(OMPI_COMM_WORLD_SIZE=16)|OpenMpi|16|")]
    [InlineData("PMIX_RANK=1 PMIX_NAMESPACE=x", "a launcher with PMIx (PMIX_RANK=1)|||1")]
    [InlineData("PMI_SIZE=two", null)]
    public void IsReadFromItsVariables(string variables, string? expected)
    {
        var found = Launcher.Find(Environment(variables));
        Assert.Equal(expected, found is null ? null : $"{found}|{found.Family}|{found.Size}|{found.Rank}");
    }

    [Theory]
    [InlineData("OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=0", 4, 0, true)]
    [InlineData("OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=0", 1, 0, false)]
    [InlineData("PMIX_RANK=1", 1, 0, false)]
    [InlineData("PMIX_RANK=1", 3, 1, true)]
    [InlineData("PMIX_RANK=0", 1, 0, true)]
    public void AgreesWithWhatMpiSees(string variables, int size, int rank, bool agrees) =>
        Assert.Equal(agrees, Launcher.Find(Environment(variables))!.Agrees(size, rank));

    [Fact]
    public void VerbsOfOneProcessAreRefusedUnderOne()
    {
        Launcher.RefuseOthers("ldvc demo", null);
        Launcher.RefuseOthers("ldvc demo", Launcher.Find(Environment("PMI_SIZE=1")));
        var refused = Assert.Throws<InputException>(() => Launcher.RefuseOthers("ldvc demo", Launcher.Find(Environment("SLURM_NTASKS=4"))));
        Assert.Equal("ldvc demo runs in one process, found srun of Slurm with 4 processes (SLURM_NTASKS=4): start it without the launcher; train, "
            + "eval, segment and ablate run in several.", refused.Message);
    }

    [Theory]
    [InlineData("auto", "")]
    [InlineData("auto", "PMI_SIZE=1 PMI_RANK=0")]
    [InlineData("none", "OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=0")]
    public void OneProcessNeedsNoLibrary(string mode, string variables) =>
        Assert.Same(
            SingleProcessGroup.Instance,
            ProcessGroups.Open(ProcessGroups.Parse(mode), Environment(variables + " LDVC_MPI_LIBRARY=none.so"), Assert.Fail));

    [Theory]
    [InlineData("auto", "OMPI_COMM_WORLD_SIZE=2", "LDVC_MPI_LIBRARY: expected an MPI library, but /no/such.so cannot be loaded (")]
    [InlineData("mpi", "", "LDVC_MPI_LIBRARY: expected an MPI library, but /no/such.so cannot be loaded (")]
    [InlineData("auto", "PMI_SIZE=2 LDVC_MPI_TIMEOUT=4", "LDVC_MPI_TIMEOUT: expected seconds, at least 5 or 0 for no limit, found '4'.")]
    public void WhatCannotWorkIsASentence(string mode, string variables, string expected) => Assert.StartsWith(
        expected, Assert.Throws<InputException>(
            () => ProcessGroups.Open(ProcessGroups.Parse(mode), Environment(variables + " LDVC_MPI_LIBRARY=/no/such.so"), Assert.Fail)).Message);

    [Fact]
    public void DistIsAnOptionOfTheVerbsThatShareWork()
    {
        string[] several = ["train", "eval", "segment", "ablate"],
            all = ["demo", "check", "serve", "embed", "compare", "pretrain", "convert", "export", "import", "doctor", "config"];
        Assert.All(several, verb => Assert.Contains("--dist", CommandLine.Run(verb, "--help").Out));
        Assert.All(all, verb => Assert.DoesNotContain("--dist", CommandLine.Run(verb, "--help").Out));
        Assert.Contains("--dist: expected auto, none, mpi or nccl, found 'gloo'.", CommandLine.Refuses("train", "x.yaml", "--dist", "gloo"));
    }

    [Fact]
    public void TheDoctorNamesLibrariesAndLauncher()
    {
        Finding[] facts = [.. JobFacts.Collect(Environment("OMPI_COMM_WORLD_SIZE=2 LDVC_MPI_LIBRARY=/no/mpi.so LDVC_NCCL_LIBRARY=/no/nccl.so"))];
        Assert.Equal(["mpi", "nccl", "launcher"], facts.Select(fact => fact.Subject));
        Assert.Contains("/no/mpi.so", facts[0].Text);
        Assert.Contains("/no/nccl.so", facts[1].Text);
        Assert.Equal("mpirun of Open MPI with 2 processes (OMPI_COMM_WORLD_SIZE=2)", facts[2].Text);
        Assert.Matches(@"(?m)^mpi +(ok|no) ", CommandLine.Run("doctor").Out);
    }

    [Theory]
    [InlineData("Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4, May 26, 2022", "Open MPI 4.1.4", "OpenMpi")]
    [InlineData("MPICH Version:\t4.0.2\nMPICH Release date:\tThu Apr  7 12:34:45 CDT 2022", "MPICH 4.0.2", "Mpich")]
    [InlineData("Intel(R) MPI Library 2021.17 for Linux* OS\n", "Intel(R) MPI Library 2021.17", "Mpich")]
    [InlineData("MVAPICH2 Version      :\t2.3.7\nMVAPICH2 Release date : Wed March 02, 2022", "MVAPICH2 2.3.7", "Mpich")]
    [InlineData("MPI VERSION    : CRAY MPICH version 8.1.25 (ANL base 3.4a2)", "MPI VERSION : CRAY MPICH 8.1.25", "Mpich")]
    [InlineData("Some MPI", "Some MPI", null)]
    public void VersionsAreShortened(string text, string expected, string? family)
    {
        Assert.Equal(expected, MpiVersion.Shorten(text));
        Assert.Equal(family, MpiVersion.FamilyOf(expected)?.ToString());
    }

    [Theory]
    [InlineData(4, "a 0-3", "a 0-3;a 0-3", 2, 2)]
    [InlineData(1, "a 0", "a 0;a 1", 1, 1)]
    [InlineData(16, "a 0-15", "a 0-15;a 16-31;a 0-15;a 16-31", 8, 2)]
    [InlineData(2, "a 0-1", "a 0-1;a 0-1;a 0-1", 1, 3)]
    [InlineData(8, "a 0-7", "a 0-7;b 0-7", 8, 1)]
    [InlineData(8, "a ", "a ;a ", 4, 2)]
    [InlineData(2, "a 0,8", "a 0,8;a 1,9;a 8", 1, 2)]
    public void CoresAreSharedByThoseWhoMayUseThem(int cores, string own, string all, int threads, int sharers)
    {
        Assert.Equal(new CpuShare(threads, cores, sharers), CpuShare.Of(cores, own, all.Split(';')));
    }

    private static Func<string, string?> Environment(string variables)
    {
        var map = variables.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(one => one.Split('=', 2)).GroupBy(one => one[0]).ToDictionary(
            one => one.Key, one => one.Last()[1]);
        return name => map.GetValueOrDefault(name);
    }
}
