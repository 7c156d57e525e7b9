using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>One OpenCL device for all its tests: kernels are compiled once.</summary>
public sealed class OpenClFixture : IDisposable
{
    private readonly Twin? _twin;
    private readonly string _reason = "";

    public OpenClFixture()
    {
        try
        {
            _twin = new Twin(DeviceFactory.Open("opencl"));
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
    internal Twin Twin { get; } = new(DeviceFactory.Open("simulator"));

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
