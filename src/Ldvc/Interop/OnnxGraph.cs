using Ldvc.Tensors.Serialization;

namespace Ldvc.Interop;

/// <summary>
/// Builds an ONNX model (opset 17) node by node. Field numbers are those of onnx.proto. A protobuf message ends at 2 GiB; values beyond that go to a
/// second file, as ONNX's "external data".
/// </summary>
internal sealed class OnnxGraph
{
    /// <summary>The operators' version.</summary>
    internal const int Opset = 17;

    /// <summary>TensorProto.FLOAT.</summary>
    internal const int FloatType = 1;

    /// <summary>TensorProto.INT64.</summary>
    internal const int Int64Type = 7;

    /// <summary>How the second file's name goes on after the first one's.</summary>
    internal const string DataSuffix = ".data";

    private const long LargestMessage = int.MaxValue - (1 << 20);
    private const long SmallestOutside = 1024;
    private const long Alignment = 4096;
    private const int InitializerField = 5;
    private const int GraphField = 7;

    private readonly ProtoWriter _graph = new();
    private readonly List<OnnxConstant> _constants = [];
    private readonly HashSet<string> _domains = [string.Empty];
    private readonly Dictionary<string, string> _shared = new(StringComparer.Ordinal);
    private int _names;

    /// <summary>Bytes of all constants.</summary>
    internal long ConstantBytes => _constants.Sum(constant => constant.Bytes);

    internal string Input(string name, bool integers, params OnnxSize[] shape)
    {
        _graph.Message(11, Value(name, integers ? Int64Type : FloatType, shape));
        return name;
    }

    internal void Output(string name, params OnnxSize[] shape) => _graph.Message(12, Value(name, FloatType, shape));

    /// <summary>An output under a name of its own.</summary>
    internal void NamedOutput(string value, string name, params OnnxSize[] shape)
    {
        Add("Identity", [value], [name], string.Empty, []);
        Output(name, shape);
    }

    internal string Constant(ReadOnlySpan<float> values, params int[] shape)
    {
        float[] copy = values.ToArray();
        return Constant(Name(), () => copy, shape);
    }

    /// <summary>Floats under a name, which are asked for when the file is written. The same name a second time is the same constant.</summary>
    internal string Constant(string name, Func<float[]> values, params int[] shape)
    {
        if (_shared.TryAdd(name, name))
        {
            _constants.Add(OnnxConstant.Floats(name, shape, values));
        }

        return name;
    }

    internal string Constant(params long[] values)
    {
        string name = Name();
        _constants.Add(OnnxConstant.Integers(name, values));
        return name;
    }

    internal string Node(string op, string[] inputs, params (string Name, object Value)[] attributes) =>
        Nodes(op, inputs, 1, string.Empty, attributes)[0];

    /// <summary>Adds a node and returns the names of its outputs.</summary>
    internal string[] Nodes(string op, string[] inputs, int outputs, string domain, params (string Name, object Value)[] attributes)
    {
        string[] names = [.. Enumerable.Range(0, outputs).Select(_ => Name())];
        Add(op, inputs, names, domain, attributes);
        return names;
    }

    /// <summary>Writes the model, and beside it NAME.data when it is too large for one file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="graphName">The graph's name.</param>
    /// <param name="largest">Bytes beyond which weights go to the second file.</param>
    /// <param name="beside">Adds files that get their names together with the model's, before it.</param>
    /// <returns>The files that were written.</returns>
    /// <exception cref="Tensors.InputException">A file cannot be written.</exception>
    internal IReadOnlyList<string> Save(string path, string graphName, long largest = LargestMessage, Action<AtomicFiles>? beside = null)
    {
        bool outside = ConstantBytes + _graph.Written.Length > largest;
        string data = path + DataSuffix;
        (OnnxConstant Constant, byte[] Head, long Offset)[] constants = [.. Places(outside, Path.GetFileName(data))];

        // Both are written before one gets its name, the values first, so that there is never a model without its values.
        using var files = new AtomicFiles();
        beside?.Invoke(files);
        if (outside)
        {
            files.Add(data, stream =>
            {
                foreach (var (constant, _, offset) in constants.Where(c => c.Offset >= 0))
                {
                    stream.Write(new byte[offset - stream.Position]);
                    constant.Write(stream);
                }
            });
        }

        files.Add(path, stream => Write(stream, graphName, constants));
        files.Commit();
        return outside ? [path, data] : [path];
    }

    private IEnumerable<(OnnxConstant Constant, byte[] Head, long Offset)> Places(bool outside, string file)
    {
        long offset = 0;
        foreach (OnnxConstant constant in _constants)
        {
            if (outside && constant.Bytes >= SmallestOutside)
            {
                yield return (constant, constant.Outside(file, offset), offset);
                offset = (offset + constant.Bytes + Alignment - 1) / Alignment * Alignment;
            }
            else
            {
                yield return (constant, constant.Inside(), -1);
            }
        }
    }

    private void Write(Stream stream, string graphName, (OnnxConstant Constant, byte[] Head, long Offset)[] constants)
    {
        var model = new ProtoWriter().Integer(1, 8).Text(2, "ldvc");
        foreach (string domain in _domains.Order(StringComparer.Ordinal))
        {
            model.Message(8, new ProtoWriter().Text(1, domain).Integer(2, domain.Length == 0 ? Opset : 1));
        }

        byte[] name = [.. new ProtoWriter().Text(2, graphName).Written];
        byte[][] prefixes = [.. constants.Select(c => new ProtoWriter().Prefix(InitializerField, Length(c)).Written.ToArray())];
        long length = name.Length + _graph.Written.Length + constants.Sum(Length) + prefixes.Sum(prefix => (long)prefix.Length);
        stream.Write(model.Prefix(GraphField, length).Written);
        stream.Write(name);
        stream.Write(_graph.Written);
        for (int i = 0; i < constants.Length; i++)
        {
            stream.Write(prefixes[i]);
            stream.Write(constants[i].Head);
            if (constants[i].Offset < 0)
            {
                constants[i].Constant.Write(stream);
            }
        }
    }

    private static long Length((OnnxConstant Constant, byte[] Head, long Offset) place) =>
        place.Head.Length + (place.Offset < 0 ? place.Constant.Bytes : 0);

    private void Add(string op, string[] inputs, string[] outputs, string domain, (string Name, object Value)[] attributes)
    {
        var node = new ProtoWriter();
        foreach (string input in inputs)
        {
            node.Text(1, input);
        }

        foreach (string output in outputs)
        {
            node.Text(2, output);
        }

        node.Text(3, $"{op}.{outputs[0]}").Text(4, op);
        foreach (var (name, value) in attributes)
        {
            node.Message(5, Attribute(name, value));
        }

        _domains.Add(domain);
        _graph.Message(1, node.Text(7, domain));
    }

    private static ProtoWriter Value(string name, int type, OnnxSize[] shape)
    {
        var dimensions = new ProtoWriter();
        foreach (OnnxSize size in shape)
        {
            dimensions.Message(1, size.Message());
        }

        return new ProtoWriter().Text(1, name).Message(2, new ProtoWriter().Message(1, new ProtoWriter().Integer(1, type).Message(2, dimensions)));
    }

    private static ProtoWriter Attribute(string name, object value)
    {
        var attribute = new ProtoWriter().Text(1, name);
        switch (value)
        {
            case float number:
                return attribute.Float(2, number).Integer(20, 1);
            case int number:
                return attribute.Integer(3, number).Integer(20, 2);
            case int[] numbers:
                foreach (int number in numbers)
                {
                    attribute.Integer(8, number);
                }

                return attribute.Integer(20, 7);
            default:
                throw new ArgumentException($"attribute {name}: {value.GetType()}", nameof(value));
        }
    }

    private string Name() => $"t{_names++}";
}
