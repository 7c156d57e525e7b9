namespace Ldvc.Autograd;

/// <summary>
/// A part of a computation: see <see cref="Tape.BeginScope"/>. Ends when disposed of, also by an exception; ending it again does nothing. It lives
/// on the stack, as <c>using var scope</c>: no field, lambda or other thread can hold it.
/// </summary>
public readonly ref struct TapeScope : IDisposable
{
    private readonly ScopeFrame? _frame;
    private readonly int _version;

    internal TapeScope(ScopeFrame frame)
    {
        _frame = frame;
        _version = frame.Version;
    }

    private bool HasEnded => _frame is null || _frame.Version != _version;

    /// <summary>
    /// Hands a variable of this scope to the enclosing scope, or to the tape where there is none, and returns it. Several can be kept.
    /// </summary>
    /// <exception cref="ArgumentException">The variable is a parameter, belongs to another tape, or was not made in this scope.</exception>
    /// <exception cref="ObjectDisposedException">The variable was freed.</exception>
    /// <exception cref="InvalidOperationException">The scope has ended.</exception>
    public Variable Keep(Variable variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        if (HasEnded)
        {
            throw new InvalidOperationException("scope: it has ended and keeps nothing any more");
        }

        if (variable.IsFreed)
        {
            throw variable.Freed("scope");
        }

        if (variable.Frame != _frame)
        {
            string owner = variable.Tape is null ? "is a parameter"
                : variable.Tape != _frame!.Tape ? "belongs to another tape"
                : "belongs to another scope";
            throw new ArgumentException(
                $"scope: the variable {variable.Shape} {owner}, expected one made in this scope and not kept yet", nameof(variable));
        }

        _frame!.Remove(variable);
        _frame.Parent!.Add(variable);
        return variable;
    }

    /// <summary>Ends the scope: frees what was made in it and not kept.</summary>
    /// <exception cref="InvalidOperationException">A scope that was opened later is still open.</exception>
    public void Dispose()
    {
        if (HasEnded)
        {
            return;
        }

        if (_frame!.Tape.Frame != _frame)
        {
            throw new InvalidOperationException(
                "scope: a scope that was opened later is still open; end scopes in the reverse order of their begin, with using");
        }

        _frame.FreeAll();
        _frame.Tape.Leave();
    }
}
