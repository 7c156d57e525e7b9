namespace Ldvc.Autograd;

/// <summary>
/// The variables that one level of scopes owns, as a list through the variables themselves: adding, removing and handing over cost no memory and no
/// search. A tape makes a frame the first time it nests so deep and uses it again for every later scope of that level.
/// </summary>
internal sealed class ScopeFrame(Tape tape, ScopeFrame? parent)
{
    private Variable? _newest;

    internal Tape Tape => tape;

    /// <summary>The enclosing level; null for the tape's own.</summary>
    internal ScopeFrame? Parent => parent;

    /// <summary>The level inside this one, once there was a scope there.</summary>
    internal ScopeFrame? Child { get; set; }

    /// <summary>Grows when a scope of this level ends, so that a scope knows whether it is over.</summary>
    internal int Version { get; private set; }

    /// <summary>Number of variables here.</summary>
    internal int Count { get; private set; }

    internal void Add(Variable variable)
    {
        variable.Frame = this;
        variable.Newer = null;
        variable.Older = _newest;
        if (_newest is not null)
        {
            _newest.Newer = variable;
        }

        _newest = variable;
        Count++;
    }

    internal void Remove(Variable variable)
    {
        if (variable.Newer is { } newer)
        {
            newer.Older = variable.Older;
        }
        else
        {
            _newest = variable.Older;
        }

        if (variable.Older is { } older)
        {
            older.Newer = variable.Newer;
        }

        (variable.Older, variable.Newer) = (null, null);
        Count--;
    }

    /// <summary>Frees values and gradients, the newest first, and ends the scope.</summary>
    internal void FreeAll()
    {
        Version++;
        while (_newest is { } variable)
        {
            variable.ClearGradient();
            if (variable.IsFreed)
            {
                Remove(variable);
            }
            else
            {
                variable.Dispose();
            }
        }
    }
}
