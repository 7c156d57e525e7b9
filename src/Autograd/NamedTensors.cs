using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Autograd;

/// <summary>Compares the tensors of a file with those that are to be filled from it, before one of them is changed.</summary>
internal sealed class NamedTensors
{
    private const int MaxListed = 8;

    private readonly TensorArchive _archive;
    private readonly List<(string Name, Tensor Target)> _wanted;
    private readonly List<string> _misshapen = [];

    internal NamedTensors(TensorArchive archive, IEnumerable<(string Name, Tensor Target)> wanted, string prefix = "")
    {
        _archive = archive;
        _wanted = [.. wanted];
        foreach (var (name, target) in _wanted)
        {
            if (!archive.Entries.TryGetValue(name, out var entry))
            {
                Missing.Add(name);
            }
            else if (entry.DType is not (DType.Float32 or DType.Float64 or DType.Float16 or DType.BFloat16) || !SameShape(entry, target))
            {
                _misshapen.Add($"{name} (expected floats {target.Shape}, got {entry.DType} [{string.Join(", ", entry.Shape)}])");
            }
        }

        var names = _wanted.Select(w => w.Name).ToHashSet(StringComparer.Ordinal);
        Unexpected.AddRange(archive.Entries.Keys
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal) && !names.Contains(name)).Order(StringComparer.Ordinal));
    }

    /// <summary>Names that the file has not.</summary>
    internal List<string> Missing { get; } = [];

    /// <summary>Names that only the file has.</summary>
    internal List<string> Unexpected { get; } = [];

    /// <summary>Refuses a file with misshapen tensors and, when strict, with missing or unexpected ones.</summary>
    /// <param name="strict">Whether the names must be the same.</param>
    /// <param name="what">What the file should fit, for the message.</param>
    internal void Check(bool strict, string what)
    {
        List<string> faults = [];
        if (strict && Missing.Count > 0)
        {
            faults.Add($"missing {List(Missing)}");
        }

        if (strict && Unexpected.Count > 0)
        {
            faults.Add($"unexpected {List(Unexpected)}");
        }

        if (_misshapen.Count > 0)
        {
            faults.Add($"misshapen {List(_misshapen)}");
        }

        if (faults.Count > 0)
        {
            throw new InputException($"{_archive.Path}: the tensors do not fit {what}: {string.Join("; ", faults)}");
        }
    }

    /// <summary>Fills what the file has; values are rounded where a tensor is bf16 or fp16, and a frozen weight's order in memory is kept.</summary>
    /// <exception cref="InputException">A tensor is damaged, holds NaN or infinity, or numbers that fp16 does not, or is another one under a second
    /// name; nothing has changed then.</exception>
    internal void Read()
    {
        (string Name, Tensor Target)[] there = [.. _wanted.Where(w => _archive.Entries.ContainsKey(w.Name))];
        foreach (var (name, target) in there)
        {
            float[] values = _archive.ReadFinite(name);
            Float16Range.Check(_archive.Path, name, values, target.DType);
        }

        foreach (var tied in there.GroupBy(w => w.Target).Where(group => group.Count() > 1))
        {
            CheckTied([.. tied.Select(w => w.Name)]);
        }

        foreach (var (name, target) in there)
        {
            float[] values = _archive.ReadFloat32(name);
            if (target.DType == DType.Float32)
            {
                target.CopyFromHost<float>(values);
            }
            else
            {
                target.CopyFromHost<ushort>(
                    Array.ConvertAll<float,
                    ushort>(values, target.DType == DType.Float16 ? HalfConversion.SingleToFloat16 : HalfConversion.SingleToBFloat16));
            }
        }
    }

    // One parameter under several names: whichever came last would win without a word.
    private void CheckTied(string[] names)
    {
        float[] first = _archive.ReadFloat32(names[0]);
        if (names.FirstOrDefault(name => !_archive.ReadFloat32(name).AsSpan().SequenceEqual(first)) is { } other)
        {
            throw new InputException(
                $"{_archive.Path}: the tensors '{names[0]}' and '{other}' differ, expected equal ones: they are one parameter under two names");
        }
    }

    private static bool SameShape(TensorEntry entry, Tensor target) =>
        entry.Shape.AsSpan().SequenceEqual(Array.ConvertAll(target.Shape.ToArray(), size => (long)size));

    private static string List(List<string> names) =>
        string.Join(", ", names.Take(MaxListed)) + (names.Count > MaxListed ? $" and {names.Count - MaxListed} more" : "");
}
