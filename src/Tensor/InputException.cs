namespace Ldvc.Tensors;

/// <summary>
/// Bad input from outside: a file, a configuration, a command line. The message is one sentence that names the file, key or tensor and says
/// what was expected and what was found. The program prints it alone and exits with code 2; it is never a bug of the program itself.
/// </summary>
public sealed class InputException : Exception
{
    /// <summary>Creates the error with its one sentence.</summary>
    public InputException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the error with its one sentence and the cause, which is not shown to the user.</summary>
    public InputException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>
    /// Whether all processes of the job throw it at the same place with the same message: rank 0 alone prints it, and nobody need be ended.
    /// </summary>
    internal bool IsAgreed { get; init; }
}
