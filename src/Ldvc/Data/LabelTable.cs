using System.Numerics;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// What each stored label value, of 8 or 16 bits, means: a train id, <see cref="StoredValue.Ignored"/>, or nothing, which is an error of the file.
/// 65535 is always ignored, and so is 255 where it is no class.
/// </summary>
internal sealed class LabelTable
{
    private readonly int[] _trainIds;
    private readonly int _classes;
    private readonly string _expected;

    private LabelTable(int[] trainIds, int classes, string expected)
    {
        _trainIds = trainIds;
        _classes = classes;
        _expected = expected;
    }

    /// <summary>Whether each value that is a class was given its name.</summary>
    public bool HasNames { get; private init; }

    /// <summary>Values are train ids.</summary>
    public static LabelTable Identity(int classCount) => Build(classCount, 0, $"({Classes(classCount)})");

    /// <summary>0 is background and ignored, value v is train id v - 1 (mmsegmentation's reduce_zero_label).</summary>
    /// <param name="classCount">Number of classes, at most 65534: 65535 is no class.</param>
    public static LabelTable ReduceZero(int classCount)
    {
        var table = Build(classCount, 1, $"({Classes(classCount)} and 0, no label)");
        table._trainIds[0] = StoredValue.Ignored;
        return table;
    }

    /// <summary>Values with names; every other value is ignored.</summary>
    /// <param name="values">The class names by stored value.</param>
    /// <param name="classes">The classes.</param>
    /// <param name="source">Where the values stand, for messages.</param>
    /// <exception cref="InputException">A name is no class, or a class has no value.</exception>
    public static LabelTable Of(IReadOnlyList<KeyValuePair<int, string>> values, ClassList classes, string source)
    {
        var map = Empty(StoredValue.Ignored);
        int[] ids = classes.IndicesOf(values.Select(entry => ClassName.Parse(entry.Value, source).Name), source);
        for (int i = 0; i < ids.Length; i++)
        {
            map[values[i].Key] = ids[i];
        }

        RefuseUnreached(classes, ids, source, "a stored value");
        return new LabelTable(map, classes.Count, "any value") { HasNames = true };
    }

    /// <summary>COCO-Stuff's raw values; the categories dropped from the data set are ignored.</summary>
    public static LabelTable CocoStuffRaw()
    {
        var known = KnownDatasets.CocoStuffRawToTrain();
        int last = Array.FindLastIndex(known, 254, id => id >= 0);
        var map = Empty(-1);
        for (int raw = 0; raw <= last; raw++)
        {
            map[raw] = known[raw] < 0 ? StoredValue.Ignored : known[raw];
        }

        return new LabelTable(
            map, known[..(last + 1)].Max() + 1, $"0 to {last} or 255 (as in stuffthingmaps; those of COCO's stuff_*_pixelmaps are others)");
    }

    /// <summary>The same, but these values are ignored.</summary>
    public LabelTable Ignoring(IReadOnlyCollection<int> values)
    {
        if (values.Count == 0)
        {
            return this;
        }

        int[] map = [.. _trainIds];
        foreach (int value in values)
        {
            map[value] = StoredValue.Ignored;
        }

        return new LabelTable(map, _classes, $"{_expected} or, ignored, {string.Join(", ", values.Order())}") { HasNames = HasNames };
    }

    /// <summary>The <see cref="StoredValue.Meaning"/> of a stored value.</summary>
    public int Meaning(int value) => _trainIds[value];

    /// <summary>Stored values as train ids.</summary>
    /// <exception cref="InputException">A value means nothing; the message names the file, the value and a pixel.</exception>
    public LabelMap Apply(LabelMap16 stored, string path)
    {
        return _classes > ClassList.MaxInBytes
            ? LabelMap.FromWide(stored.Width, stored.Height, Apply<ushort>(stored, path))
            : new LabelMap(stored.Width, stored.Height, Apply<byte>(stored, path));
    }

    // "Ignored" has all bits set: cut to a byte it is what means no label there.
    private T[] Apply<T>(LabelMap16 stored, string path)
        where T : unmanaged, IBinaryInteger<T>
    {
        var labels = new T[stored.Labels.Length];
        for (int i = 0; i < labels.Length; i++)
        {
            int value = stored.Labels[i], id = _trainIds[value];
            if (id < 0)
            {
                throw new InputException($"{path}: label value {value} at column {i % stored.Width}, row {i / stored.Width}, expected {_expected}");
            }

            labels[i] = T.CreateTruncating(id);
        }

        return labels;
    }

    /// <summary>A class that no value or colour stands for would have no pixel anywhere, and scores would not say why.</summary>
    internal static void RefuseUnreached(ClassList classes, int[] reached, string source, string what)
    {
        if (Enumerable.Range(0, classes.Count).Except(reached).FirstOrDefault(-1) is >= 0 and var missing)
        {
            throw new InputException(
                $"{source}: class {ConfigText.Quote(classes[missing])} has none, expected {what} for each of the {classes.Count} classes");
        }
    }

    private static LabelTable Build(int classCount, int first, string classes)
    {
        if (classCount + first > LabelMap.WideIgnore)
        {
            throw new ArgumentOutOfRangeException(
                nameof(classCount), $"{classCount} classes from value {first} on, expected none to reach {LabelMap.WideIgnore}");
        }

        var map = Empty(-1);
        for (int id = 0; id < classCount; id++)
        {
            map[id + first] = id;
        }

        int last = classCount + first - 1;
        return new LabelTable(map, classCount, $"0 to {last} or {(last < LabelMap.Ignore ? LabelMap.Ignore : LabelMap.WideIgnore)} {classes}");
    }

    private static int[] Empty(int meaning)
    {
        var map = new int[ushort.MaxValue + 1];
        Array.Fill(map, meaning);
        map[LabelMap.Ignore] = map[LabelMap.WideIgnore] = StoredValue.Ignored;
        return map;
    }

    private static string Classes(int count) => count == 1 ? "1 class" : $"{count} classes";
}
