using System.Runtime.InteropServices;

namespace Ldvc.Bench.Compare.Onnx;

/// <summary>Builds an ONNX model (opset 17) node by node. Field numbers are those of onnx.proto.</summary>
internal sealed class OnnxGraph
{
    private const int FloatType = 1;
    private const int Int64Type = 7;
    private readonly ProtoWriter _graph = new();
    private int _names;

    internal string Input(string name, bool integers, params int[] shape)
    {
        _graph.Message(11, Value(name, integers ? Int64Type : FloatType, shape));
        return name;
    }

    internal void Output(string name, params int[] shape) => _graph.Message(12, Value(name, FloatType, shape));

    internal string Constant(ReadOnlySpan<float> values, params int[] shape) => Initializer(MemoryMarshal.AsBytes(values), FloatType, shape);

    internal string Constant(params long[] values) => Initializer(MemoryMarshal.AsBytes(values.AsSpan()), Int64Type, [values.Length]);

    internal string Node(string op, string[] inputs, params (string Name, object Value)[] attributes) => Nodes(op, inputs, 1, string.Empty, attributes)[0];

    /// <summary>Adds a node and returns the names of its outputs.</summary>
    internal string[] Nodes(string op, string[] inputs, int outputs, string domain, params (string Name, object Value)[] attributes)
    {
        var node = new ProtoWriter();
        foreach (string input in inputs)
        {
            node.Text(1, input);
        }

        var names = new string[outputs];
        for (int i = 0; i < outputs; i++)
        {
            node.Text(2, names[i] = Name());
        }

        node.Text(3, $"{op}.{_names}").Text(4, op);
        foreach (var (name, value) in attributes)
        {
            node.Message(5, Attribute(name, value));
        }

        _graph.Message(1, node.Text(7, domain));
        return names;
    }

    internal void Save(string path)
    {
        _graph.Text(2, "ldvc bench");
        var model = new ProtoWriter().Integer(1, 8).Text(2, "ldvc bench");
        model.Message(8, new ProtoWriter().Text(1, string.Empty).Integer(2, 17));
        model.Message(8, new ProtoWriter().Text(1, "com.microsoft").Integer(2, 1));
        model.Message(7, _graph);
        using var file = File.Create(path);
        file.Write(model.Written);
    }

    private static ProtoWriter Value(string name, int type, int[] shape)
    {
        var dimensions = new ProtoWriter();
        foreach (int size in shape)
        {
            dimensions.Message(1, new ProtoWriter().Integer(1, size));
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

    private string Initializer(ReadOnlySpan<byte> bytes, int type, int[] shape)
    {
        var tensor = new ProtoWriter();
        foreach (int size in shape)
        {
            tensor.Integer(1, size);
        }

        string name = Name();
        _graph.Message(5, tensor.Integer(2, type).Text(8, name).Bytes(9, bytes));
        return name;
    }

    private string Name() => $"t{_names++}";
}
