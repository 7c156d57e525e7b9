namespace Ldvc.Bench.Compare;

/// <summary>A tensor that engines exchange through files.</summary>
internal readonly record struct Named(string Name, int[] Shape, float[] Values);

/// <summary>One engine's version of a case.</summary>
internal interface IWork : IDisposable
{
    /// <summary>Runs once and returns everything that must agree between engines.</summary>
    IReadOnlyList<Named> Check();

    /// <summary>Runs once for the clock.</summary>
    void Run();

    /// <summary>Whether runs are by now what is to be timed: a step that becomes a graph is not before it is one.</summary>
    bool IsSettled => true;

    /// <summary>Waits until what <see cref="Run"/> queued has been done.</summary>
    void Wait()
    {
        // On a CPU, Run returns when all is done.
    }

    /// <summary>Maximum MiB in use since the warm-up began: resident memory of the process, or on a GPU what tensors took.</summary>
    double PeakMebibytes => ProcessMemory.Peak;

    /// <summary>The same measure now.</summary>
    double ResidentMebibytes => ProcessMemory.Resident;

    /// <summary>Of how many runs the time of one <see cref="Run"/> is to be divided by (windows of a picture).</summary>
    int Parts => 1;

    /// <summary>How often the device was asked for memory so far; 0 where it is not counted.</summary>
    long DeviceAllocations => 0;
}
