namespace Ldvc.Tensors;

/// <summary>
/// More elements than kernels count: 2^31 of a tensor, or along a dimension. To a program it is a wrong argument like others; to a user of the
/// command line it is too much at once, as memory that runs out is.
/// </summary>
internal sealed class ExtentException : ArgumentException
{
    internal ExtentException(string message)
        : base(message)
    {
    }
}
