using Ldvc.Tensors.Serialization;

namespace Ldvc.Tests.Reliability;

/// <summary>Makes one step of writing below a folder fail, as a full disk does, or counts the steps.</summary>
internal sealed class FullDisk : IDisposable
{
    private readonly string _root;
    private readonly int _fails;
    private readonly bool _once;
    private int _steps;

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
    internal int Steps => _steps;

    public void Dispose() => OutputFile.Before = null;

    private void Step(string step, string path)
    {
        if (!Path.GetFullPath(path).StartsWith(_root, StringComparison.Ordinal))
        {
            return;
        }

        int number = Interlocked.Increment(ref _steps) - 1;
        if (_fails >= 0 && (number == _fails || (number > _fails && !_once)))
        {
            throw new IOException($"No space left on device : '{path}'");
        }
    }
}
