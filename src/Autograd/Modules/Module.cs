namespace Ldvc.Autograd.Modules;

/// <summary>A named tree of parameters; names join with dots, as in checkpoints.</summary>
public abstract partial class Module : IDisposable
{
    private readonly List<(string Name, Parameter Parameter)> _parameters = [];
    private readonly List<(string Name, Module Module)> _children = [];

    /// <summary>All parameters with their dotted names: the module's own ones first, then its children's, each in order of registration.</summary>
    public IEnumerable<(string Name, Parameter Parameter)> Parameters(string prefix = "")
    {
        foreach (var (name, parameter) in _parameters)
        {
            yield return (prefix + name, parameter);
        }

        foreach (var (name, module) in _children)
        {
            // A child without a name adds nothing to its parameters' names.
            foreach (var item in module.Parameters(name.Length == 0 ? prefix : $"{prefix}{name}."))
            {
                yield return item;
            }
        }
    }

    /// <summary>Sets whether training changes the parameters of the tree.</summary>
    public void SetTrainable(bool trainable)
    {
        foreach (var (_, parameter) in Parameters())
        {
            parameter.Trainable = trainable;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, parameter) in _parameters)
        {
            parameter.Dispose();
        }

        foreach (var (_, module) in _children)
        {
            module.Dispose();
        }

        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what a module holds besides its parameters.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>Registers a parameter.</summary>
    /// <exception cref="ArgumentException">There is one of that name.</exception>
    protected Parameter Add(string name, Parameter parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        CheckName(name, _parameters.Select(p => p.Name));
        CheckParameters([name]);
        _parameters.Add((name, parameter));
        return parameter;
    }

    /// <summary>The same for one that is yet to be made: when memory runs out for it, those before are freed, as nobody gets the module.</summary>
    internal Parameter Add(string name, Func<Parameter> make)
    {
        try
        {
            return Add(name, make());
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Registers a child.</summary>
    /// <exception cref="ArgumentException">There is one of that name, a parameter would have the dotted name of another, or the child is the module
    /// itself or one that holds it. Several children may be without a name: their parameters count as the module's own.</exception>
    protected T Add<T>(string name, T module)
        where T : Module
    {
        ArgumentNullException.ThrowIfNull(module);
        CheckName(name, _children.Select(c => c.Name).Where(n => n.Length > 0));
        if (module.Holds(this))
        {
            string what = ReferenceEquals(module, this) ? "itself" : $"{module.GetType().Name}, of which it is a part";
            throw new ArgumentException($"{GetType().Name}: expected another module as child '{name}', got {what}", nameof(module));
        }

        CheckParameters(module.Parameters(name.Length == 0 ? "" : $"{name}.").Select(p => p.Name));
        _children.Add((name, module));
        return module;
    }

    private bool Holds(Module module) => ReferenceEquals(module, this) || _children.Exists(child => child.Module.Holds(module));

    private void CheckParameters(IEnumerable<string> added)
    {
        if (added.Intersect(Parameters().Select(p => p.Name), StringComparer.Ordinal).FirstOrDefault() is { } twice)
        {
            throw new ArgumentException($"{GetType().Name}: expected each parameter's name once, got '{twice}' a second time");
        }
    }

    // Here, not hours later when the parameters are saved.
    private void CheckName(string name, IEnumerable<string> taken)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (taken.Contains(name, StringComparer.Ordinal))
        {
            throw new ArgumentException($"{GetType().Name}: expected each name once, got '{name}' a second time", nameof(name));
        }
    }
}
