using System.Globalization;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Training;

/// <summary>
/// A run's checkpoints: ckpt-00012345.safetensors, the number is the step. A file appears whole or not at all, the newest ones and the pinned steps
/// are kept, and unreadable files are skipped with a message. Files with other names are never touched.
/// </summary>
internal sealed class CheckpointFolder
{
    private const string Prefix = "ckpt-";
    private const string Suffix = ".safetensors";

    private readonly string _folder;
    private readonly int _keep;
    private readonly int[] _pinned;
    private readonly Action<string> _warn;

    // The newest checkpoint is looked for more than once; what is skipped is said once.
    private readonly HashSet<string> _skipped = [];

    /// <summary>Takes a folder; it is created by the first save.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="keep">How many of the newest checkpoints are kept, at least 1.</param>
    /// <param name="warn">Gets one sentence per checkpoint that is skipped.</param>
    /// <param name="pinned">Steps whose checkpoints are never deleted.</param>
    public CheckpointFolder(string folder, int keep, Action<string> warn, params int[] pinned)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keep, 1);
        _folder = folder;
        _keep = keep;
        _warn = warn;
        _pinned = pinned;
    }

    /// <summary>The file of a step.</summary>
    public string PathOf(int step) => Path.Combine(_folder, $"{Prefix}{step:D8}{Suffix}");

    /// <summary>The checkpoints there are, oldest first.</summary>
    public IReadOnlyList<(int Step, string Path)> All()
    {
        if (!Directory.Exists(_folder))
        {
            return [];
        }

        var found = new List<(int Step, string Path)>();
        foreach (string path in Directory.EnumerateFiles(_folder, Prefix + "*" + Suffix))
        {
            // Only names this class would write: ckpt-copy.safetensors or ckpt-12.safetensors are not this program's.
            string number = Path.GetFileName(path)[Prefix.Length..^Suffix.Length];
            if (int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int step) && PathOf(step) == path)
            {
                found.Add((step, path));
            }
        }

        found.Sort((a, b) => a.Step.CompareTo(b.Step));
        return found;
    }

    /// <summary>
    /// The newest checkpoint that can be read and whose tensors have the checksums they were written with; null when there is no checkpoint.
    /// </summary>
    /// <exception cref="InputException">None of them can be read: a run that began anew would compute again what may only be locked away.</exception>
    public (int Step, string Path)? Latest()
    {
        IReadOnlyList<(int Step, string Path)> all = All();
        InputException? first = null;
        foreach ((int step, string path) in all.Reverse())
        {
            try
            {
                using TensorArchive archive = TensorArchive.Open(path);
                archive.Verify();
                return (step, path);
            }
            catch (InputException e)
            {
                first ??= e;
                if (_skipped.Add(path))
                {
                    _warn($"checkpoint skipped: {e.Message}");
                }
            }
        }

        return first is null
            ? null
            : throw new InputException(
                $"{_folder}: expected a checkpoint that can be read, found {all.Count} that cannot: {first.Message.TrimEnd('.')}; repair one, or "
                    + "remove them all to begin the run anew.", first);
    }

    /// <summary>Writes the checkpoint of a step, then deletes what need not be kept.</summary>
    /// <param name="step">Optimiser steps done.</param>
    /// <param name="writer">Holds the tensors and notes.</param>
    /// <returns>The file.</returns>
    /// <exception cref="InputException">It cannot be written; the checkpoints that were there still are.</exception>
    public string Save(int step, SafetensorsWriter writer)
    {
        string path = PathOf(step);
        Imaging.OutputFolder.Create(_folder);
        writer.Save(path);
        Prune(step);
        return path;
    }

    /// <summary>
    /// Deletes what a killed process left half-written. Only for the process that holds the run's folder: no other one writes then.
    /// </summary>
    public void RemoveLeftovers()
    {
        if (Directory.Exists(_folder))
        {
            string[] kinds = [$".{Prefix}*{Suffix}.*.tmp", .. BestCheckpoint.Leftovers];
            foreach (string path in kinds.SelectMany(kind => Directory.EnumerateFiles(_folder, kind)))
            {
                Delete(path, "half-written file");
            }
        }
    }

    /// <summary>Counts backwards from the step just written: newer files are those of a part of the run that has been taken back.</summary>
    private void Prune(int newest)
    {
        foreach ((int step, string path) in All().Where(c => c.Step <= newest).Reverse().Skip(_keep).Where(c => !_pinned.Contains(c.Step)))
        {
            Delete(path, $"checkpoint of step {step}");
        }
    }

    private void Delete(string path, string what)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _warn($"{what} cannot be deleted: {path}: {e.Message}");
        }
    }
}
