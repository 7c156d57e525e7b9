using Ldvc.Tensors.Serialization;

namespace Ldvc.Tests.Reliability;

/// <summary>Makes one step of writing below a folder fail, as a full disk does, or counts the steps.</summary>
internal sealed class FullDisk : IDisposable
{
    private readonly string _root;
    private readonly int _fails;
    private readonly bool _once;
    private readonly List<string> _kinds = [];

    /// <summary>Watches the folder until it is disposed of.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="fails">The step that fails, from 0; -1 = none.</param>
    /// <param name="once">Whether those after it work again.</param>
    internal FullDisk(string root, int fails, bool once = true)
    {
        (_root, _fails, _once) = (Path.GetFullPath(root), fails, once);
        OutputFile.Before = Step;
    }

    /// <summary>Steps there were.</summary>
    internal int Steps => _kinds.Count;

    /// <summary>Numbers of the steps that a failure is worth trying at: every one but those writes that stand between two writes.</summary>
    internal IEnumerable<int> Edges =>
        Enumerable.Range(0, Steps).Where(i => i == 0 || i == Steps - 1 || Enumerable.Range(i - 1, 3).Any(j => _kinds[j] != "write"));

    public void Dispose() => OutputFile.Before = null;

    private void Step(string step, string path)
    {
        if (!Path.GetFullPath(path).StartsWith(_root, StringComparison.Ordinal))
        {
            return;
        }

        int number;
        lock (_kinds)
        {
            number = _kinds.Count;
            _kinds.Add(step);
        }

        if (_fails >= 0 && (number == _fails || (number > _fails && !_once)))
        {
            throw new IOException($"No space left on device : '{path}'");
        }
    }
}
