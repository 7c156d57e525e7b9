namespace Ldvc.Interop;

/// <summary>A size of an input or output: a number, or a name where the caller chooses.</summary>
internal readonly record struct OnnxSize(int Value, string? Name)
{
    public static implicit operator OnnxSize(int value) => new(value, null);

    public static implicit operator OnnxSize(string name) => new(0, name);

    /// <summary>As TensorShapeProto.Dimension.</summary>
    internal ProtoWriter Message() => Name is null ? new ProtoWriter().Integer(1, Value) : new ProtoWriter().Text(2, Name);
}
