using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Autograd.Modules;

public abstract partial class Module
{
    /// <summary>Writes all parameters to a safetensors file under their dotted names. The file appears whole or not at all.</summary>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <param name="metadata">Notes for the file's header, e.g. the model's sizes.</param>
    /// <exception cref="InputException">The file cannot be written; what was there before is still there.</exception>
    public void Save(string path, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var writer = new SafetensorsWriter();
        foreach (var (key, value) in metadata ?? new Dictionary<string, string>())
        {
            writer.SetMetadata(key, value);
        }

        foreach (var (name, parameter) in Parameters())
        {
            writer.Add(name, parameter.Value);
        }

        writer.Save(path);
    }

    /// <summary>
    /// Reads parameters from a file (safetensors or a PyTorch checkpoint) by their dotted names, frozen ones included. Names and shapes are compared
    /// first: when they do not fit, no parameter changes. Other float types are converted.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="strict">False to leave parameters that the file lacks as they are, and to pass over tensors that the module has not.</param>
    /// <returns>What was left out; both lists are empty when strict.</returns>
    /// <exception cref="InputException">The file is missing or damaged, or its tensors do not fit; the message lists the missing, unexpected and
    /// misshapen ones.</exception>
    public LoadReport Load(string path, bool strict = true)
    {
        using var archive = TensorArchive.Open(path);
        return Load(archive, strict);
    }

    /// <summary>As <see cref="Load(string, bool)"/>, from a file that is open.</summary>
    /// <param name="archive">The file.</param>
    /// <param name="strict">As there.</param>
    /// <param name="prefix">What the names start with in the file, e.g. "encoder."; tensors without it are passed over.</param>
    /// <exception cref="InputException">As there.</exception>
    public LoadReport Load(TensorArchive archive, bool strict = true, string prefix = "")
    {
        ArgumentNullException.ThrowIfNull(archive);
        var tensors = new NamedTensors(archive, Parameters(prefix).Select(p => (p.Name, p.Parameter.Value)), prefix);
        tensors.Check(strict, $"the module {GetType().Name}");
        tensors.Read();
        return new LoadReport(tensors.Missing, tensors.Unexpected);
    }
}

/// <summary>What loading left out.</summary>
/// <param name="Missing">Parameters that the file lacks: they are as they were.</param>
/// <param name="Unexpected">Tensors of the file that the module has not.</param>
public sealed record LoadReport(IReadOnlyList<string> Missing, IReadOnlyList<string> Unexpected)
{
    /// <summary>"missing: a, b; unexpected: none".</summary>
    public override string ToString()
    {
        static string List(IReadOnlyList<string> names) => names.Count == 0 ? "none" : string.Join(", ", names);
        return $"missing: {List(Missing)}; unexpected: {List(Unexpected)}";
    }
}
