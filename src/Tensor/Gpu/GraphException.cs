namespace Ldvc.Tensors.Gpu;

/// <summary>Work cannot be captured; the message says what is in the way.</summary>
internal sealed class GraphException : Exception
{
    /// <summary>Creates it.</summary>
    /// <param name="message">What is in the way.</param>
    /// <param name="bytes">Memory that was missing, which the device may have next time; 0 for none.</param>
    internal GraphException(string message, long bytes = 0)
        : base(message)
    {
        Bytes = bytes;
    }

    /// <summary>Memory that was missing.</summary>
    internal long Bytes { get; }
}
