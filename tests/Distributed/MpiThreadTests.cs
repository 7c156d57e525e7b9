using System.Runtime.InteropServices;
using Ldvc.Tensors.Distributed;
using Ldvc.Tensors.Distributed.Mpi;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Distributed;

/// <summary>The communication thread, with a library that stands in for MPI and ends operations when it is told to (tests/data/mpi).</summary>
public sealed class MpiThreadTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // At once, while the thread asks again and again, and between its pauses: whoever waits hears of it, and so does everybody after that.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(50)]
    [InlineData(2000)]
    public unsafe void WhoeverWaitsHearsHowItEnded(int calls)
    {
        string file = _folder.File("standin.so");
        StandInLibrary.Build("mpi", file);
        MpiLibrary mpi = MpiLibrary.TryLoad(file, out string why) ?? throw new InvalidOperationException(why);
        var endAt = (delegate* unmanaged<int, int, void>)NativeLibrary.GetExport(NativeLibrary.Load(file), "standin_end_at");
        using var group = new MpiProcessGroup(mpi, TimeSpan.Zero, _ => { });
        long[] values = [3];
        for (int time = 0; time < 3; time++)
        {
            endAt(calls, 0);
            group.Sum(values);
        }

        endAt(calls, 17);
        var failure = Assert.Throws<ProcessGroupException>(() => group.Sum(values));
        Assert.Contains("MPI_Iallreduce", failure.Message);
        Assert.Contains("the connection was closed", failure.Message);
        Assert.Contains("the connection was closed", Assert.Throws<ProcessGroupException>(group.Barrier).Message);
        Assert.Contains("the connection was closed", Assert.Throws<ProcessGroupException>(group.Dispose).Message);
    }
}
