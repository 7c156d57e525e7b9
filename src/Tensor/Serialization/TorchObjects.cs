namespace Ldvc.Tensors.Serialization;

/// <summary>
/// What a pickle may do besides plain data, and all of it: make an ordered dict, refer to a storage, view a storage as a tensor, make a TorchScript
/// object with attributes, and write NumPy's numbers (arrays of NumPy's are read over). Everything is checked when it is made, so whatever comes out
/// of a pickle can be used as it is.
/// </summary>
/// <param name="path">The file, for messages.</param>
/// <param name="length">Bytes of the pickle; what references multiply is bounded by it.</param>
internal sealed class TorchObjects(string path, long length)
{
    private const int MaxClasses = 1000;
    private const int MaxGlobalName = 512;

    // References to a shape that was made once would otherwise make of a few bytes a tensor with 64 axes. A real one takes at least some forty
    // bytes of the pickle, and four for each axis.
    private const int FreeTensors = 1000;
    private const int BytesPerTensor = 16;
    private const int FreeAxes = 1 << 16;
    private const int BytesPerAxis = 2;

    // Elements that the tensors of a file may have beyond what their storages hold: a saved x.expand(...) repeats elements (stride 0).
    private const long MaxRepeated = 16 << 20;

    private readonly Dictionary<string, TorchStorage> _storages = new(StringComparer.Ordinal);
    private long _pairsMade;
    private long _tensorsMade;
    private long _axesMade;
    private long _repeated;

    /// <summary>Every storage the pickle referred to, by key.</summary>
    public IReadOnlyDictionary<string, TorchStorage> Storages => _storages;

    /// <summary>Names of the TorchScript classes the pickle referred to, without their modules.</summary>
    public SortedSet<string> Classes { get; } = new(StringComparer.Ordinal);

    /// <summary>GLOBAL: looks a name up in the allow-list.</summary>
    public PickleGlobal Global(string module, string name)
    {
        if (module.Length > MaxGlobalName || name.Length > MaxGlobalName)
        {
            throw Fault($"names a global with {Math.Max(module.Length, name.Length)} characters, expected at most {MaxGlobalName}");
        }

        PickleGlobal global = TorchGlobals.Find(module, name);
        if (global.Kind == PickleGlobalKind.ScriptClass && Classes.Count < MaxClasses)
        {
            Classes.Add(name);
        }

        return global;
    }

    /// <summary>REDUCE: what an allowed callable makes of its arguments.</summary>
    public object? Call(object? callable, object? arguments)
    {
        if (callable is not PickleGlobal global || arguments is not PickleTuple { Items: var items })
        {
            throw Fault("calls something that is not a function of the allow-list");
        }

        switch (global.Kind)
        {
            case PickleGlobalKind.OrderedDict:
                return NewDict(items);
            case PickleGlobalKind.RebuildTensor when items.Length == 4:
            case PickleGlobalKind.RebuildTensorV2 when items.Length is 6 or 7:
                return NewTensor(items, null);
            case PickleGlobalKind.RebuildTensorV3 when items.Length is 7 or 8 && items[6] is PickleGlobal { Kind: PickleGlobalKind.ElementType } type:
                return NewTensor(items, type.Type);
            case PickleGlobalKind.RebuildParameter when items.Length is 3 or 4 && items[0] is TorchTensor tensor:
                return tensor;
            case PickleGlobalKind.RebuildFromType when items is [PickleGlobal { Kind: not PickleGlobalKind.RebuildFromType } function,
                PickleGlobal { Kind: PickleGlobalKind.TensorClass }, PickleTuple, _]:
                return Call(function, items[2]);
            case PickleGlobalKind.DictClass:
                return TorchNoteClasses.NewDict(items);
            case PickleGlobalKind.SetClass when items is [] or [List<object?>]:
                return new PickleSet(items is [List<object?> members] ? members : null);
            case PickleGlobalKind.NoteClass:
                return PickleOpaque.Instance;
            case PickleGlobalKind.Method when items is [
                PickleGlobal { Kind: PickleGlobalKind.NoteClass or PickleGlobalKind.Unlisted } or PickleObject, string]:
                return PickleOpaque.Instance;
            case PickleGlobalKind.RebuildFromType when items is [_, PickleGlobal { Kind: PickleGlobalKind.Unlisted } subclass, ..]:
                throw Unlisted(subclass);
            case PickleGlobalKind.Unlisted:
                throw Unlisted(global);
            case PickleGlobalKind.Size when items.Length == 1 && items[0] is PickleTuple or List<object?>:
            case PickleGlobalKind.Device when items.Length is 1 or 2 && items[0] is string:
            case PickleGlobalKind.FirstArgument when items.Length is 1 or 2:
                return items[0];
            case PickleGlobalKind.NumpyArray when items is [PickleGlobal { Kind: PickleGlobalKind.NumpyArrayClass }, PickleTuple, _]:
                return PickleOpaque.Instance;
            case PickleGlobalKind.NumpyType when TorchNumpy.Type(items) is { } made:
                return made;
            case PickleGlobalKind.NumpyScalar when TorchNumpy.Scalar(items) is { } made:
                return made;
            case PickleGlobalKind.Encode when TorchNumpy.Encode(items) is { } made:
                return made;
            case PickleGlobalKind.NoBytes when items.Length == 0:
                return Array.Empty<byte>();
            default:
                throw Fault($"calls {global.Kind} with {items.Length} arguments it does not take");
        }
    }

    /// <summary>NEWOBJ: an instance without anything in it. No class is looked for, and no arguments are kept but those of a dict.</summary>
    public object NewObject(object? type, object? arguments) => (type, arguments) switch
    {
        (PickleGlobal { Kind: PickleGlobalKind.ScriptClass }, PickleTuple { Items.Length: 0 }) => new ScriptObject(),
        (PickleGlobal { Kind: PickleGlobalKind.DictClass }, PickleTuple made) => TorchNoteClasses.NewDict(made.Items),
        (PickleGlobal { Kind: PickleGlobalKind.NoteClass }, PickleTuple) => PickleOpaque.Instance,
        (PickleGlobal { Kind: PickleGlobalKind.Unlisted }, PickleTuple) => new PickleObject(),
        _ => throw Fault("makes an instance of something that is not a class"),
    };

    /// <summary>
    /// BUILD: attributes of an object. An ordered dict's own (PyTorch keeps versions there) and what NumPy adds to a type or an array are dropped.
    /// </summary>
    public void SetState(object? target, object? state)
    {
        if (target is ScriptObject script)
        {
            script.Attributes = state as PickleDict ?? script.Attributes;
            return;
        }

        if (target is PickleObject instance)
        {
            // With slots, a pair of both kinds of attributes.
            instance.Attributes = (state is PickleTuple { Items: [var attributes, _] } ? attributes : state) as PickleDict;
            return;
        }

        if (target is NumpyType type)
        {
            type.BigEndian |= state is PickleTuple { Items: [_, ">", ..] };
            return;
        }

        if (target is not (PickleDict or PickleOpaque))
        {
            throw Fault("sets the state of something that is neither a TorchScript object nor a dict");
        }
    }

    /// <summary>
    /// BINPERSID: ('storage', type, key, location, count) and, in the older format, a sixth item that is None; also there, ('module', class, file,
    /// source) for a class of modules.
    /// </summary>
    public object Persistent(object? id)
    {
        if (id is PickleTuple { Items: ["module", PickleGlobal { Kind: PickleGlobalKind.Unlisted } module, _, _] })
        {
            return module;
        }

        if (id is PickleTuple { Items: ["storage", PickleGlobal { Kind: PickleGlobalKind.Unlisted } unread, ..] })
        {
            throw Fault($"has a storage of type {ArchiveText.Quote(unread.FullName)}, which is not read (complex or quantized numbers, say)");
        }

        if (id is not PickleTuple { Items: { Length: 5 or 6 } items }
            || items[0] is not "storage"
            || items[1] is not PickleGlobal { Kind: PickleGlobalKind.StorageType } type
            || items[2] is not string key
            || items[3] is not string
            || items[4] is not long count
            || (items.Length == 6 && items[5] is not null))
        {
            throw Fault("has a persistent id that is not a storage");
        }

        var storage = new TorchStorage(key, type.Type, count);
        if (count < 0 || count > long.MaxValue / 8)
        {
            throw Fault($"has a storage {ArchiveText.Quote(key)} of {count} elements");
        }

        if (_storages.TryGetValue(key, out TorchStorage? known) && known.Bytes != storage.Bytes)
        {
            throw Fault($"has a storage {ArchiveText.Quote(key)} once with {known.Bytes} bytes and once with {storage.Bytes}");
        }

        _storages[key] = storage;
        return storage;
    }

    private PickleDict NewDict(object?[] items)
    {
        var dict = new PickleDict();
        if (items.Length == 0)
        {
            return dict;
        }

        if (items.Length > 1 || items[0] is not List<object?> pairs)
        {
            throw Fault("makes an OrderedDict of something else than a list of pairs");
        }

        // One list can be turned into dicts again and again; the copies count together.
        _pairsMade += pairs.Count;
        if (_pairsMade > length)
        {
            throw Fault($"of {length} bytes makes dicts of {_pairsMade} pairs");
        }

        foreach (object? pair in pairs)
        {
            object?[] two = pair switch
            {
                PickleTuple { Items.Length: 2 } tuple => tuple.Items,
                List<object?> { Count: 2 } list => [.. list],
                _ => throw Fault("makes an OrderedDict of something else than a list of pairs"),
            };
            dict.Pairs.Add(new(two[0], two[1]));
        }

        return dict;
    }

    private TorchTensor NewTensor(object?[] items, DType? type)
    {
        if (items[0] is not TorchStorage storage || items[1] is not long offset)
        {
            throw Fault("makes a tensor of something else than a storage and an offset");
        }

        // torch._neg_view(x), x.conj().imag: the stored numbers have the other sign.
        if (items.Length > 6 && items[^1] is PickleDict { Pairs: var facts } && facts.Exists(fact => fact.Value is true))
        {
            throw Fault("has a tensor that PyTorch negates or conjugates after reading it (resolve_neg() and resolve_conj() store it plainly)");
        }

        if (++_tensorsMade > FreeTensors + (length / BytesPerTensor))
        {
            throw Fault($"of {length} bytes makes more than {_tensorsMade - 1} tensors");
        }

        long[] shape = Numbers(items[2], "shape");
        long[] strides = Numbers(items[3], "strides");
        if ((type ?? storage.Type) is not { } elements || (type is not null && storage.Type is not null && type != storage.Type))
        {
            throw Fault($"makes a tensor over storage {ArchiveText.Quote(storage.Key)} without a clear element type");
        }

        long available = storage.Bytes / elements.Size();
        if (shape.Length != strides.Length || !ArchiveText.TryCount(shape, out long count) || (count > 0 && available == 0))
        {
            throw Fault(
                $"has a tensor {ArchiveText.Shape(shape)} with strides {ArchiveText.Shape(strides)} over storage {ArchiveText.Quote(storage.Key)} of "
                + $"{available} elements");
        }

        Int128 last = offset;
        for (int i = 0; i < shape.Length && count > 0; i++)
        {
            last += (Int128)(shape[i] - 1) * strides[i];
            if (strides[i] < 0 || last >= available)
            {
                break;
            }
        }

        if (offset < 0 || offset > available || strides.Any(s => s < 0) || (count > 0 && last >= available))
        {
            throw Fault(
                $"has a tensor {ArchiveText.Shape(shape)} with strides {ArchiveText.Shape(strides)} at offset {offset} outside storage "
                + $"{ArchiveText.Quote(storage.Key)} of {available} elements");
        }

        // An expanded tensor may claim any number of elements over few bytes; the limit bounds what reading can allocate.
        long spanned = count == 0 ? 0 : (long)last - offset + 1;
        if (count > spanned && (_repeated += Math.Min(count - spanned, MaxRepeated + 1)) > MaxRepeated)
        {
            throw Fault(
                $"has an expanded tensor {ArchiveText.Shape(shape)} over {spanned} elements of storage {ArchiveText.Quote(storage.Key)}, "
                + $"expected at most {MaxRepeated} repeated elements in a file");
        }

        return new TorchTensor(storage, elements, offset, shape, strides, count);
    }

    private long[] Numbers(object? value, string what)
    {
        IReadOnlyList<object?> items = value switch
        {
            PickleTuple tuple => tuple.Items,
            List<object?> list => list,
            _ => throw Fault($"has a tensor whose {what} is not a tuple"),
        };
        if (items.Count > 64)
        {
            throw Fault($"has a tensor of {items.Count} axes, expected at most 64");
        }

        _axesMade += items.Count;
        if (_axesMade > 2 * (FreeAxes + (length / BytesPerAxis)))
        {
            throw Fault($"of {length} bytes makes tensors of more than {FreeAxes + (length / BytesPerAxis)} axes");
        }

        long[] numbers = new long[items.Count];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = items[i] is long number ? number : throw Fault($"has a tensor whose {what} holds something else than integers");
        }

        return numbers;
    }

    private InputException Unlisted(PickleGlobal global) => new(
        $"{path}: the checkpoint wants the Python object {ArchiveText.Quote(global.FullName)}, which is neither a tensor nor plain data; "
        + "nothing was run. If you trust the file, PyTorch can save the state dict alone: torch.save(model.state_dict(), ...).");

    private InputException Fault(string what) => new($"{path}: the checkpoint's pickle {what}.");
}
