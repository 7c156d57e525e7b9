using Ldvc.Clip;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Bench.Compare;

/// <summary>Collects a case's random inputs.</summary>
internal sealed class InputFile
{
    private readonly SafetensorsWriter _writer = new();
    private CounterRandom _random = new(2);

    internal void Normal(string name, double std, params int[] shape)
    {
        var values = new float[shape.Aggregate(1, (a, b) => a * b)];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)(std * _random.NextNormal());
        }

        _writer.AddFloat32(name, [.. shape.Select(s => (long)s)], values);
    }

    internal void Image(int size, int batch) => Normal("image", 1, batch, 3, size, size);

    /// <summary>
    /// Labels [batch, size, size] in blocks of 64 pixels, about as coherent as real masks are; one in sixteen is 255, to be ignored.
    /// </summary>
    internal void Labels(int size, int classes, int batch)
    {
        var labels = new int[batch * size * size];
        for (int i = 0; i < labels.Length; i++)
        {
            int block = (i / size % size / 64 * 7) + (i % size / 64) + (i / size / size);
            labels[i] = block % 16 == 15 ? 255 : block % classes;
        }

        _writer.AddInt32("labels", [batch, size, size], labels);
    }

    /// <summary>Texts [count, length]: start, some words, end, zeros.</summary>
    internal void Ids(int count, int length, int shortest, int longest)
    {
        var ids = new int[count * length];
        for (int i = 0; i < count; i++)
        {
            int own = i == 0 ? longest : _random.NextInt(shortest, longest + 1);
            ids[i * length] = PeerData.Start;
            for (int j = 1; j < own - 1; j++)
            {
                ids[(i * length) + j] = _random.NextInt(PeerData.Start);
            }

            ids[(i * length) + own - 1] = PeerData.End;
        }

        _writer.AddInt32("ids", [count, length], ids);
    }

    internal void Save(string path) => _writer.Save(path);
}
