namespace Ldvc.Tensors.Serialization;

/// <summary>
/// Python classes that training programs leave in their checkpoints beside the tensors: arguments of the command line, configurations, paths, times,
/// counters of a scheduler. None of them is made here: what is like a dict is read as one, of the rest nothing is kept.
/// </summary>
internal static class TorchNoteClasses
{
    private static readonly string[] s_dicts =
    [
        "collections.defaultdict", "collections.Counter", "addict.addict.Dict", "easydict.EasyDict", "yacs.config.CfgNode",
        "fvcore.common.config.CfgNode", "detectron2.config.config.CfgNode", "mmcv.utils.config.ConfigDict", "mmengine.config.config.ConfigDict",
        "ml_collections.config_dict.config_dict.ConfigDict", "pytorch_lightning.utilities.parsing.AttributeDict",
        "lightning_fabric.utilities.data.AttributeDict", "lightning.fabric.utilities.data.AttributeDict",
        "lightning.pytorch.utilities.parsing.AttributeDict",
    ];

    private static readonly string[] s_notes =
    [
        "argparse.Namespace", "types.SimpleNamespace", "collections.deque", "decimal.Decimal", "uuid.UUID", "typing.Any",
        "datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta", "datetime.timezone",
        "torch.torch_version.TorchVersion", "mmengine.logging.history_buffer.HistoryBuffer",
        "omegaconf.dictconfig.DictConfig", "omegaconf.listconfig.ListConfig", "omegaconf.base.ContainerMetadata", "omegaconf.base.Metadata",
        "omegaconf.nodes.AnyNode", "omegaconf.nodes.BooleanNode", "omegaconf.nodes.FloatNode", "omegaconf.nodes.IntegerNode",
        "omegaconf.nodes.StringNode", "omegaconf.nodes.PathNode", "omegaconf.nodes.EnumNode",
    ];

    private static readonly string[] s_builtins =
    [
        "set", "frozenset", "complex", "range", "xrange", "slice", "bytearray", "list", "tuple", "dict", "int", "long", "float", "bool", "str",
        "unicode", "object",
    ];

    private static readonly string[] s_paths = ["Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath"];

    /// <summary>Adds them to the globals that a checkpoint may name.</summary>
    internal static void AddTo(Dictionary<string, PickleGlobal> allowed)
    {
        foreach (string name in s_dicts)
        {
            allowed.Add(name, new(PickleGlobalKind.DictClass));
        }

        // Protocol 2 calls the module by Python 2's name; Python 3.13 has moved paths.
        IEnumerable<string> notes =
        [
            .. s_notes,
            .. s_builtins.SelectMany(name => (string[])[$"builtins.{name}", $"__builtin__.{name}"]),
            .. s_paths.SelectMany(name => (string[])[$"pathlib.{name}", $"pathlib._local.{name}"]),
        ];
        foreach (string name in notes)
        {
            allowed.Add(name, new(PickleGlobalKind.NoteClass));
        }

        allowed["builtins.getattr"] = allowed["__builtin__.getattr"] = new(PickleGlobalKind.NoteMethod);
    }

    /// <summary>getattr(class, name) of such a class; null for any other.</summary>
    internal static object? Method(object?[] items) =>
        items is [PickleGlobal { Kind: PickleGlobalKind.NoteClass }, string] ? PickleOpaque.Instance : null;

    /// <summary>What a class like a dict is made of: nothing, a dict, or (defaultdict) what makes values.</summary>
    internal static PickleDict NewDict(object?[] items) => items is [PickleDict dict] ? dict : new PickleDict();
}
