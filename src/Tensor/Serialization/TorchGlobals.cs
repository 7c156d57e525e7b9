namespace Ldvc.Tensors.Serialization;

/// <summary>
/// The globals a checkpoint may call. In a pickle a global is how code gets called; here each one is a constant that stands for a fixed piece of this
/// program. Others may be named, as the class of an object is; calling one ends the reading at once.
/// </summary>
internal static class TorchGlobals
{
    private static readonly Dictionary<string, PickleGlobal> Allowed = Build();

    /// <summary>The meaning of module.name, <see cref="PickleGlobalKind.Unlisted"/> when it must not be called.</summary>
    public static PickleGlobal Find(string module, string name)
    {
        // TorchScript writes its class names mangled; they carry no behaviour here.
        if (module.StartsWith("__torch__.", StringComparison.Ordinal) || module == "__torch__")
        {
            return new PickleGlobal(PickleGlobalKind.ScriptClass);
        }

        return Allowed.GetValueOrDefault($"{module}.{name}") ?? new PickleGlobal(PickleGlobalKind.Unlisted, null, module, name);
    }

    private static Dictionary<string, PickleGlobal> Build()
    {
        var allowed = new Dictionary<string, PickleGlobal>(StringComparer.Ordinal)
        {
            ["collections.OrderedDict"] = new(PickleGlobalKind.OrderedDict),
            ["torch._utils._rebuild_tensor"] = new(PickleGlobalKind.RebuildTensor),
            ["torch._utils._rebuild_tensor_v2"] = new(PickleGlobalKind.RebuildTensorV2),
            ["torch._utils._rebuild_tensor_v3"] = new(PickleGlobalKind.RebuildTensorV3),
            ["torch._utils._rebuild_parameter"] = new(PickleGlobalKind.RebuildParameter),
            ["torch._utils._rebuild_parameter_with_state"] = new(PickleGlobalKind.RebuildParameter),
            ["torch._tensor._rebuild_from_type_v2"] = new(PickleGlobalKind.RebuildFromType),
            ["torch.Tensor"] = new(PickleGlobalKind.TensorClass),
            ["torch.nn.parameter.Parameter"] = new(PickleGlobalKind.TensorClass),
            ["torch.nn.parameter.Buffer"] = new(PickleGlobalKind.TensorClass),
            ["torch.Size"] = new(PickleGlobalKind.Size),
            ["torch.device"] = new(PickleGlobalKind.Device),
            ["torch.UntypedStorage"] = new(PickleGlobalKind.StorageType),
            ["torch.storage.UntypedStorage"] = new(PickleGlobalKind.StorageType),
        };
        // Notes of a training program hold scores as NumPy's numbers.
        foreach (string core in (string[])["numpy.core.multiarray", "numpy._core.multiarray"])
        {
            allowed[$"{core}.scalar"] = new(PickleGlobalKind.NumpyScalar);
            allowed[$"{core}._reconstruct"] = new(PickleGlobalKind.NumpyArray);
        }

        allowed["numpy.dtype"] = new(PickleGlobalKind.NumpyType);
        allowed["numpy.ndarray"] = new(PickleGlobalKind.NumpyArrayClass);
        allowed["_codecs.encode"] = new(PickleGlobalKind.Encode);

        // Protocol 2 calls the module by Python 2's name.
        allowed["__builtin__.bytes"] = allowed["builtins.bytes"] = new(PickleGlobalKind.NoBytes);
        foreach (string helper in (string[])["restore_type_tag", "build_intlist", "build_tensorlist", "build_doublelist", "build_boollist"])
        {
            allowed[$"torch.jit._pickle.{helper}"] = new(PickleGlobalKind.FirstArgument);
        }

        TorchNoteClasses.AddTo(allowed);

        (string Storage, string[] Names, DType Type)[] types =
        [
            ("Float", ["float32", "float"], DType.Float32),
            ("Double", ["float64", "double"], DType.Float64),
            ("Half", ["float16", "half"], DType.Float16),
            ("BFloat16", ["bfloat16"], DType.BFloat16),
            ("Long", ["int64", "long"], DType.Int64),
            ("Int", ["int32", "int"], DType.Int32),
            ("Short", ["int16", "short"], DType.Int16),
            ("Char", ["int8"], DType.Int8),
            ("Byte", ["uint8"], DType.UInt8),
            ("Bool", ["bool"], DType.Bool),
        ];
        foreach ((string storage, string[] names, DType type) in types)
        {
            allowed[$"torch.{storage}Storage"] = new(PickleGlobalKind.StorageType, type);
            allowed[$"torch.cuda.{storage}Storage"] = new(PickleGlobalKind.StorageType, type);
            foreach (string name in names)
            {
                allowed[$"torch.{name}"] = new(PickleGlobalKind.ElementType, type);
            }
        }

        return allowed;
    }
}
