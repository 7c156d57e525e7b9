using System.Reflection;
using ILGPU;
using ILGPU.Runtime;

namespace Ldvc.Ptx.Machine;

/// <summary>
/// A kernel's argument as a launch passes it: a struct's fields in order, each at a multiple of its size; a view is an address and a length.
/// </summary>
internal sealed class PtxArgumentBytes
{
    private static readonly MethodInfo s_address = typeof(PtxArgumentBytes).GetMethod(nameof(Address), BindingFlags.Static | BindingFlags.NonPublic)!;

    private readonly List<byte> _bytes = [];

    internal PtxArgumentBytes(object arguments)
    {
        int align = Add(arguments);
        Align(align);
    }

    internal byte[] Bytes => [.. _bytes];

    /// <summary>The memory of its views.</summary>
    internal List<(long Start, long End)> Views { get; } = [];

    private int Add(object value)
    {
        Align(AlignOf(value.GetType()));
        foreach (var field in value.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            object part = field.GetValue(value)!;
            var type = field.FieldType;
            Align(AlignOf(type));
            if (IsView(type))
            {
                var (address, length, size) = ((long, long, int))s_address.MakeGenericMethod(type.GetGenericArguments()[0]).Invoke(null, [part])!;
                Views.Add((address, address + (length * size)));
                _bytes.AddRange(BitConverter.GetBytes(address));
                _bytes.AddRange(BitConverter.GetBytes(length));
            }
            else if (type.IsPrimitive || type.IsEnum)
            {
                _bytes.AddRange(Bits(type.IsEnum ? Convert.ChangeType(part, Enum.GetUnderlyingType(type), null) : part));
            }
            else
            {
                Add(part);
                Align(AlignOf(type));
            }
        }

        return AlignOf(value.GetType());
    }

    private static bool IsView(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ArrayView<>);

    private static byte[] Bits(object value) => value switch
    {
        int i => BitConverter.GetBytes(i),
        uint u => BitConverter.GetBytes(u),
        long l => BitConverter.GetBytes(l),
        ulong u => BitConverter.GetBytes(u),
        float f => BitConverter.GetBytes(f),
        double d => BitConverter.GetBytes(d),
        short s => BitConverter.GetBytes(s),
        ushort s => BitConverter.GetBytes(s),
        byte b => [b],
        sbyte b => [(byte)b],
        _ => throw new PtxRunException($"the machine does not know arguments of type {value.GetType()}"),
    };

    private static int AlignOf(Type type) => IsView(type) ? 8
        : type.IsEnum ? AlignOf(Enum.GetUnderlyingType(type))
        : type.IsPrimitive ? Bits(Activator.CreateInstance(type)!).Length
        : type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Select(
            field => AlignOf(field.FieldType)).DefaultIfEmpty(1).Max();

    private void Align(int align)
    {
        while (_bytes.Count % align != 0)
        {
            _bytes.Add(0);
        }
    }

    private static unsafe (long Address, long Length, int Size) Address<T>(ArrayView<T> view)
        where T : unmanaged => view.Length == 0 || !view.IsValid ? (0, 0, 0) : ((long)view.LoadEffectiveAddressAsPtr(), view.Length, sizeof(T));
}
