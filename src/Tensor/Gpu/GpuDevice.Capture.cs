namespace Ldvc.Tensors.Gpu;

public sealed partial class GpuDevice
{
    /// <summary>What is being captured: kernels and copies are taken down then, and do not run. Null when nothing is.</summary>
    internal GpuCapture? Capture { get; set; }

    /// <summary>What captures in place of the CUDA driver; null for that: for tests.</summary>
    internal IGraphDriver? GraphDriver { get; set; }

    /// <summary>When set, told what is copied from the host.</summary>
    internal UploadLog? Uploads { get; set; }

    /// <summary>When set, called in place of every copy and clearing on the device, with what queues it.</summary>
    internal Action<Action>? CopyWatch { get; set; }
}
