namespace Ldvc.Tensors.Serialization;

/// <summary>
/// Python classes that training programs leave in their checkpoints beside the tensors and that are pickled as a call: paths, times, sets, counters
/// of a scheduler. None is called here: what is like a dict is read as one, of the rest nothing is kept. Classes that are pickled as attributes need
/// no list (<see cref="PickleObject"/>).
/// </summary>
internal static class TorchNoteClasses
{
    private static readonly string[] s_dicts = ["collections.defaultdict", "collections.Counter"];

    private static readonly string[] s_notes =
    [
        "collections.deque", "types.SimpleNamespace", "functools.partial", "decimal.Decimal",
        "numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer",
        "datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta", "datetime.timezone",
    ];

    private static readonly string[] s_builtins =
    [
        "frozenset", "complex", "range", "xrange", "slice", "bytearray", "list", "tuple", "dict", "int", "long", "float", "bool", "str",
        "unicode",
    ];

    private static readonly string[] s_paths = ["Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath"];

    /// <summary>Adds them to the globals that a checkpoint may call.</summary>
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

        allowed["builtins.set"] = allowed["__builtin__.set"] = new(PickleGlobalKind.SetClass);
        allowed["builtins.getattr"] = allowed["__builtin__.getattr"] = new(PickleGlobalKind.Method);
    }

    /// <summary>What a class like a dict is made of: nothing, a dict, or (defaultdict) what makes values.</summary>
    internal static PickleDict NewDict(object?[] items) => items is [PickleDict dict] ? dict : new PickleDict();
}
