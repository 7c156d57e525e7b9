using ILGPU.Backends;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Values;

namespace Ldvc.Kernels.Gpu.Intrinsics;

/// <summary>Writes one instruction whose operands stay in registers.</summary>
internal static class PtxEmitter
{
    /// <summary>The registers of operands first .. end - 1.</summary>
    internal static string[] Operands(PTXCodeGenerator generator, Value call, int first, int end)
    {
        var names = new string[end - first];
        for (int i = first; i < end; i++)
        {
            names[i - first] = Name(generator.EnsureHardwareRegister(generator.LoadPrimitive(call[i])));
        }

        return names;
    }

    /// <summary>
    /// The register of an address operand. ILGPU hands references over as generic addresses; the address before that conversion is an offset into
    /// its own state space, which is what cp.async and ldmatrix take.
    /// </summary>
    internal static string Address(PTXCodeGenerator generator, Value call, int index)
    {
        Value address = call[index].Resolve();
        while (address is AddressSpaceCast cast)
        {
            address = cast.Value.Resolve();
        }

        return Name(generator.LoadHardware(address));
    }

    /// <summary>The register of a call that returns one value.</summary>
    internal static string Result(PTXCodeGenerator generator, Value call) => Name(generator.AllocateHardware(call));

    /// <summary>The registers of a call that returns a struct of scalars.</summary>
    internal static string[] Results(PTXCodeGenerator generator, Value call)
    {
        var compound = (RegisterAllocator<PTXRegisterKind>.CompoundRegister)generator.Allocate(call);
        var names = new string[compound.NumChildren];
        for (int i = 0; i < names.Length; i++)
        {
            names[i] = Name((RegisterAllocator<PTXRegisterKind>.HardwareRegister)compound.Children[i]);
        }

        return names;
    }

    /// <summary>Writes "instruction operands;".</summary>
    internal static void Write(PTXCodeGenerator generator, string instruction, string operands)
    {
        using var command = generator.BeginCommand(instruction);
        command.AppendRawString(" " + operands);
    }

    /// <summary>{a, b, c}.</summary>
    internal static string Vector(ReadOnlySpan<string> names) => "{" + string.Join(", ", names.ToArray()) + "}";

    private static string Name(RegisterAllocator<PTXRegisterKind>.HardwareRegister register) =>
        "%" + PTXRegisterAllocator.GetStringRepresentation(register).TrimStart('%');
}
