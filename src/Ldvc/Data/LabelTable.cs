using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>What each stored label value means: a train id, 255 (ignored), or nothing, which is an error of the file.</summary>
internal sealed class LabelTable
{
    private readonly int[] _trainIds;
    private readonly string _expected;

    private LabelTable(int[] trainIds, string expected)
    {
        _trainIds = trainIds;
        _expected = expected;
    }

    /// <summary>Values are train ids.</summary>
    public static LabelTable Identity(int classCount) => Build(classCount, 0, $"0 to {classCount - 1} or 255");

    /// <summary>0 is background and ignored, value v is train id v - 1 (mmsegmentation's reduce_zero_label).</summary>
    public static LabelTable ReduceZero(int classCount)
    {
        var table = Build(classCount, 1, $"0 to {classCount} or 255");
        table._trainIds[0] = LabelMap.Ignore;
        return table;
    }

    /// <summary>COCO-Stuff's raw values; the categories dropped from the data set are ignored.</summary>
    public static LabelTable CocoStuffRaw()
    {
        var map = KnownDatasets.CocoStuffRawToTrain();
        int last = Array.FindLastIndex(map, 254, id => id >= 0);
        for (int raw = 0; raw <= last; raw++)
        {
            map[raw] = map[raw] < 0 ? LabelMap.Ignore : map[raw];
        }

        return new LabelTable(map, $"0 to {last} or 255");
    }

    /// <summary>The train id of a stored value, 255 when it is ignored, -1 when it means nothing.</summary>
    public int Meaning(int value) => value < _trainIds.Length ? _trainIds[value] : -1;

    /// <summary>Replaces stored values by train ids, in place.</summary>
    /// <exception cref="InputException">A value means nothing; the message names the file, the value and a pixel.</exception>
    public void Apply(LabelMap labels, string path)
    {
        var values = labels.Labels;
        for (int i = 0; i < values.Length; i++)
        {
            int id = _trainIds[values[i]];
            if (id < 0)
            {
                throw new InputException(
                    $"{path}: label value {values[i]} at column {i % labels.Width}, row {i / labels.Width}, expected {_expected}");
            }

            values[i] = (byte)id;
        }
    }

    private static LabelTable Build(int classCount, int first, string expected)
    {
        var map = new int[256];
        Array.Fill(map, -1);
        map[255] = LabelMap.Ignore;
        for (int id = 0; id < classCount && id + first < 255; id++)
        {
            map[id + first] = id;
        }

        return new LabelTable(map, expected);
    }
}
