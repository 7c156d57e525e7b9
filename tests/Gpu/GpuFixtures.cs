using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// Which device the GPU tests run on. With the variable LDVC_TEST_GPU=cuda (or cuda:1, ...) a card takes the place of OpenCL and of the simulator in
/// all of them.
/// </summary>
internal static class TestedGpu
{
    internal const string Variable = "LDVC_TEST_GPU";

    internal static string Instead(string usual) => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named : usual;
}

/// <summary>
/// Whole models on the substitutes for a card take a minute each. Usually every model runs in one precision and every precision on one model; with
/// the variable LDVC_TEST_ALL=1 all of them do.
/// </summary>
internal static class AllModels
{
    internal static bool Wanted => Environment.GetEnvironmentVariable("LDVC_TEST_ALL") is { Length: > 0 };

    /// <summary>Rows of a theory: the usual ones, and the others when they are wanted.</summary>
    internal static IEnumerable<ITheoryDataRow> Of(IEnumerable<object[]> usual, IEnumerable<object[]> others) =>
        usual.Concat(Wanted ? others : []).Select(row => new TheoryDataRow(row));
}

/// <summary>One OpenCL device for all its tests: kernels are compiled once.</summary>
public sealed class OpenClFixture : IDisposable
{
    private readonly Twin? _twin;
    private readonly string _reason = "";

    public OpenClFixture()
    {
        try
        {
            _twin = new Twin(DeviceFactory.Open(TestedGpu.Instead("opencl")));
        }
        catch (InputException e)
        {
            _reason = e.Message;
        }
    }

    /// <summary>The device with a CPU beside it; skips the test when there is none.</summary>
    internal Twin Twin
    {
        get
        {
            Assert.SkipWhen(_twin is null, $"no OpenCL device (Debian: pocl-opencl-icd, ocl-icd-opencl-dev): {_reason}");
            return _twin;
        }
    }

    public void Dispose() => _twin?.Dispose();
}

/// <summary>The simulator, one for all its tests: every lane is a thread of the operating system, so two at once would starve each other.</summary>
public class SimulatorFixture : IDisposable
{
    public SimulatorFixture()
        : this(TestedGpu.Instead("simulator"))
    {
    }

    protected SimulatorFixture(string device) => Twin = new Twin(DeviceFactory.Open(device));

    internal Twin Twin { get; }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => Twin.Dispose();
}

[CollectionDefinition("opencl")]
public class OpenClCollection : ICollectionFixture<OpenClFixture>
{
}

[CollectionDefinition("simulator", DisableParallelization = true)]
public class SimulatorCollection : ICollectionFixture<SimulatorFixture>
{
}
