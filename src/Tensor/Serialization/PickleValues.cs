namespace Ldvc.Tensors.Serialization;

/// <summary>A Python tuple. Lists are <see cref="List{T}"/>, integers long, other scalars their C# counterparts; None is null.</summary>
internal sealed record PickleTuple(object?[] Items);

/// <summary>A Python dict or OrderedDict as the pairs in the order they were set; hashing untrusted keys is left to whoever needs them.</summary>
internal class PickleDict
{
    private List<KeyValuePair<object?, object?>>? _pairs;

    /// <summary>Keys and values in order; a key may occur twice. Made when it is first asked for: an empty dict takes one byte of a pickle.</summary>
    public List<KeyValuePair<object?, object?>> Pairs => _pairs ??= [];

    /// <summary>The last value set for a text key, or null.</summary>
    public object? Find(string key) => Pairs.FindLast(pair => pair.Key is string text && text == key).Value;
}

/// <summary>A Python set, made of a list or of nothing.</summary>
internal sealed class PickleSet(List<object?>? members)
{
    private List<object?>? _members = members;

    /// <summary>Members as they were added; one may occur twice. Made when it is first asked for: an empty set takes one byte of a pickle.</summary>
    public List<object?> Members => _members ??= [];
}

/// <summary>
/// An instance of a Python class that is not known here, made of what was saved of it: attributes, and pairs where the class is like a dict.
/// </summary>
internal sealed class PickleObject : PickleDict
{
    private static readonly string[] s_parts = ["_parameters", "_buffers", "_modules"];

    /// <summary>Attributes in the order they were saved; null when there are none.</summary>
    public PickleDict? Attributes { get; set; }

    /// <summary>
    /// What torch.nn.Module keeps its tensors and its parts in: their names in a state dict do not say in which of the three. Empty for any other
    /// class.
    /// </summary>
    public IEnumerable<PickleDict> Parts => Attributes is { } all ? s_parts.Select(all.Find).OfType<PickleDict>() : [];

    /// <summary>Names of a module's buffers that are in no state dict; null when nothing says so.</summary>
    public PickleSet? Unsaved => Attributes?.Find("_non_persistent_buffers_set") as PickleSet;
}

/// <summary>What an allowed global stands for.</summary>
internal enum PickleGlobalKind
{
    /// <summary>collections.OrderedDict.</summary>
    OrderedDict,

    /// <summary>torch._utils._rebuild_tensor: storage, offset, size, stride.</summary>
    RebuildTensor,

    /// <summary>The same with requires_grad and hooks.</summary>
    RebuildTensorV2,

    /// <summary>The same with an element type, over an untyped storage.</summary>
    RebuildTensorV3,

    /// <summary>torch._utils._rebuild_parameter: a tensor and two things of no interest.</summary>
    RebuildParameter,

    /// <summary>torch._tensor._rebuild_from_type_v2: one of the above, a class, its arguments, and attributes of no interest.</summary>
    RebuildFromType,

    /// <summary>torch.Tensor and torch.nn.Parameter, where a class is written down.</summary>
    TensorClass,

    /// <summary>A storage class, typed or untyped (no element type).</summary>
    StorageType,

    /// <summary>An element type such as torch.float16.</summary>
    ElementType,

    /// <summary>torch.Size: its one argument, a tuple.</summary>
    Size,

    /// <summary>torch.device: a name, of no interest.</summary>
    Device,

    /// <summary>torch.jit._pickle helpers, all of which return their first argument here.</summary>
    FirstArgument,

    /// <summary>A class of a TorchScript module: a bag of attributes.</summary>
    ScriptClass,

    /// <summary>numpy.dtype: an element type.</summary>
    NumpyType,

    /// <summary>numpy's constructor of a single number.</summary>
    NumpyScalar,

    /// <summary>numpy's constructor of an array, of which nothing is kept.</summary>
    NumpyArray,

    /// <summary>numpy.ndarray, the first argument of the one before.</summary>
    NumpyArrayClass,

    /// <summary>_codecs.encode: bytes as a text.</summary>
    Encode,

    /// <summary>bytes(): no bytes at all, where pickles have no bytes of their own.</summary>
    NoBytes,

    /// <summary>A class like a dict, whose pairs are kept.</summary>
    DictClass,

    /// <summary>set: made of a list.</summary>
    SetClass,

    /// <summary>A class of which nothing is kept, though it makes its instances by a call.</summary>
    NoteClass,

    /// <summary>getattr: a method of a class, of which nothing is kept.</summary>
    Method,

    /// <summary>Anything else: a class, whose instances are what was saved of them, or a function, which must not be called.</summary>
    Unlisted,
}

/// <summary>A global: what it stands for, and how it is called where that is not known.</summary>
internal sealed record PickleGlobal(PickleGlobalKind Kind, DType? Type = null, string Module = "", string Name = "")
{
    /// <summary>Put together for messages alone: a few bytes of a pickle name a global again.</summary>
    public string FullName => $"{Module}.{Name}";
}

/// <summary>An instance of a TorchScript class: attributes, no code.</summary>
internal sealed class ScriptObject
{
    /// <summary>Attributes in the order they were saved.</summary>
    public PickleDict Attributes { get; set; } = new();
}

/// <summary>A block of bytes elsewhere in the file. Its count is in elements, or in bytes where <paramref name="Type"/> is null.</summary>
internal sealed record TorchStorage(string Key, DType? Type, long Count)
{
    /// <summary>Size in bytes.</summary>
    public long Bytes => Count * (Type?.Size() ?? 1);
}

/// <summary>A strided view of a storage, checked to lie inside it. Offset and strides are in elements.</summary>
internal sealed record TorchTensor(TorchStorage Storage, DType Type, long Offset, long[] Shape, long[] Strides, long Count)
{
    /// <summary>Bytes from the first to the last element.</summary>
    public long Extent
    {
        get
        {
            long last = 0;
            for (int i = 0; i < Shape.Length && Count > 0; i++)
            {
                last += (Shape[i] - 1) * Strides[i];
            }

            return Count == 0 ? 0 : (last + 1) * Type.Size();
        }
    }
}
