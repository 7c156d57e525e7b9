using System.Runtime.InteropServices;

namespace Ldvc.Tensors.Distributed.Mpi;

/// <summary>
/// The values of MPI's predefined handles and constants in one binary interface. A handle is as wide as a pointer here: where a library takes an int,
/// the upper half of the register or of the stack slot is not looked at.
/// </summary>
internal sealed record MpiAbi
{
    /// <summary>The file name of every library of the standard ABI begins so.</summary>
    internal const string StandardName = "libmpi_abi";

    /// <summary>What people call it.</summary>
    internal required string Name { get; init; }

    internal required nint World { get; init; }

    internal required nint Float { get; init; }

    internal required nint Double { get; init; }

    internal required nint Int64 { get; init; }

    internal required nint Byte { get; init; }

    internal required nint Sum { get; init; }

    internal required nint Max { get; init; }

    internal required nint InPlace { get; init; }

    internal required nint StatusIgnore { get; init; }

    internal required nint InfoNull { get; init; }

    internal required nint ErrorsReturn { get; init; }

    internal required int TypeShared { get; init; }

    internal required int AnySource { get; init; }

    internal required int ThreadFunneled { get; init; }

    /// <summary>MPI 5.0, chapter 20: the values of the MPI Forum's mpi.h.</summary>
    internal static MpiAbi Standard { get; } = new()
    {
        Name = "the standard ABI",
        World = 0x101,
        Float = 0x210,
        Double = 0x214,
        Int64 = 0x258,
        Byte = 0x247,
        Sum = 0x21,
        Max = 0x23,
        InPlace = 1,
        StatusIgnore = 0,
        InfoNull = 0x130,
        ErrorsReturn = 0x143,
        TypeShared = 221,
        AnySource = -1,
        ThreadFunneled = 1024,
    };

    /// <summary>MPICH 3 and 4, Intel MPI, MVAPICH: the values of MPICH's mpi.h, which its ABI initiative froze.</summary>
    internal static MpiAbi Mpich { get; } = new()
    {
        Name = "MPICH's ABI",
        World = 0x44000000,
        Float = 0x4c00040a,
        Double = 0x4c00080b,
        Int64 = 0x4c00083a,
        Byte = 0x4c00010d,
        Sum = 0x58000003,
        Max = 0x58000001,
        InPlace = -1,
        StatusIgnore = 1,
        InfoNull = 0x1c000000,
        ErrorsReturn = 0x54000001,
        TypeShared = 1,
        AnySource = -2,
        ThreadFunneled = 1,
    };

    /// <summary>Which one a loaded library has.</summary>
    /// <param name="file">Its file name, which tells the standard ABI: such a library may export the functions of another one, too.</param>
    /// <param name="library">Its handle.</param>
    internal static MpiAbi Of(string file, nint library)
    {
        if (Path.GetFileName(file).StartsWith(StandardName, StringComparison.Ordinal))
        {
            return Standard;
        }

        return NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world", out _) ? OpenMpi(library) : Mpich;
    }

    // Open MPI 4 and 5: handles are the addresses of exported objects.
    private static MpiAbi OpenMpi(nint library) => new()
    {
        Name = "Open MPI's ABI",
        World = NativeLibrary.GetExport(library, "ompi_mpi_comm_world"),
        Float = NativeLibrary.GetExport(library, "ompi_mpi_float"),
        Double = NativeLibrary.GetExport(library, "ompi_mpi_double"),
        Int64 = NativeLibrary.GetExport(library, "ompi_mpi_int64_t"),
        Byte = NativeLibrary.GetExport(library, "ompi_mpi_byte"),
        Sum = NativeLibrary.GetExport(library, "ompi_mpi_op_sum"),
        Max = NativeLibrary.GetExport(library, "ompi_mpi_op_max"),
        InPlace = 1,
        StatusIgnore = 0,
        InfoNull = NativeLibrary.GetExport(library, "ompi_mpi_info_null"),
        ErrorsReturn = NativeLibrary.GetExport(library, "ompi_mpi_errors_return"),
        TypeShared = 0,
        AnySource = -1,
        ThreadFunneled = 1,
    };
}
