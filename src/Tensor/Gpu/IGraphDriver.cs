namespace Ldvc.Tensors.Gpu;

/// <summary>Takes down what is queued on a device's stream, to be started again as one.</summary>
internal interface IGraphDriver
{
    /// <summary>Why it cannot be used; null when it can.</summary>
    string? Missing { get; }

    /// <summary>What is queued from here on is taken down and does not run.</summary>
    /// <exception cref="GraphException">The driver refuses.</exception>
    void Begin();

    /// <summary>Ends the capture.</summary>
    /// <exception cref="GraphException">Something in it cannot be captured; nothing is left of it.</exception>
    IDeviceGraph End();

    /// <summary>Ends a capture that is good for nothing.</summary>
    void Abandon();
}

/// <summary>Captured work.</summary>
internal interface IDeviceGraph : IDisposable
{
    /// <summary>Queues all of it on the device's stream.</summary>
    /// <exception cref="GraphException">The driver refuses.</exception>
    void Launch();
}
