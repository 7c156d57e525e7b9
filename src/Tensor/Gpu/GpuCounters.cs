namespace Ldvc.Tensors.Gpu;

/// <summary>What crossed the bus and what was asked of the driver, since the device was opened: tests compare it before and after a step.</summary>
public sealed class GpuCounters
{
    /// <summary>Copies from host to device.</summary>
    public long UploadCount { get; private set; }

    /// <summary>Bytes copied from host to device.</summary>
    public long UploadBytes { get; private set; }

    /// <summary>Copies from device to host; each waits for everything started before it.</summary>
    public long DownloadCount { get; private set; }

    /// <summary>Bytes copied from device to host.</summary>
    public long DownloadBytes { get; private set; }

    /// <summary>Buffers asked of the driver.</summary>
    public long BufferCount { get; private set; }

    /// <summary>Kernels started.</summary>
    public long LaunchCount { get; private set; }

    /// <summary>Graphs of kernels started; their kernels are in no other count.</summary>
    internal long GraphCount { get; private set; }

    internal void CountGraph() => GraphCount++;

    internal void CountUpload(long bytes)
    {
        UploadCount++;
        UploadBytes += bytes;
    }

    internal void CountDownload(long bytes)
    {
        DownloadCount++;
        DownloadBytes += bytes;
    }

    internal void CountBuffer() => BufferCount++;

    internal void CountLaunch() => LaunchCount++;
}
