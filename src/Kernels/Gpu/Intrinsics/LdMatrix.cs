using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace Ldvc.Kernels.Gpu.Intrinsics;

/// <summary>
/// ldmatrix: one warp loads four 8 x 8 matrices of 16-bit values from shared memory into the layout that mma wants. Lane 8 j + i names row i of
/// matrix j (16 bytes); register j of lane 4 r + c receives elements (r, 2c) and (r, 2c + 1) of matrix j, or (2c, r) and (2c + 1, r) when transposed.
/// </summary>
internal static unsafe class LdMatrix
{
    /// <summary>ldmatrix.sync.aligned.m8n8.x4.shared.b16.</summary>
    [IntrinsicImplementation]
    internal static Registers4 X4(ref Halves8 row)
    {
        ulong* table = WarpExchange.Exchange([(ulong)Unsafe.AsPointer(ref row)]);
        Registers4 result = default;
        for (int j = 0; j < 4; j++)
        {
            uint* source = Row(table, j, Warp.LaneIdx / 4);
            Unsafe.Add(ref result.X, j) = source[Warp.LaneIdx % 4];
        }

        // No lane goes on to write to shared memory before all have read.
        Warp.Barrier();
        return result;
    }

    /// <summary>ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16.</summary>
    [IntrinsicImplementation]
    internal static Registers4 X4Transposed(ref Halves8 row)
    {
        ulong* table = WarpExchange.Exchange([(ulong)Unsafe.AsPointer(ref row)]);
        Registers4 result = default;
        int r = Warp.LaneIdx / 4, c = Warp.LaneIdx % 4;
        for (int j = 0; j < 4; j++)
        {
            ushort* first = (ushort*)Row(table, j, 2 * c);
            ushort* second = (ushort*)Row(table, j, (2 * c) + 1);
            Unsafe.Add(ref result.X, j) = first[r] | ((uint)second[r] << 16);
        }

        // No lane goes on to write to shared memory before all have read.
        Warp.Barrier();
        return result;
    }

    internal static void EmitX4(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        Emit(generator, call, "ldmatrix.sync.aligned.m8n8.x4.shared.b16");

    internal static void EmitX4Transposed(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        Emit(generator, call, "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16");

    private static void Emit(PTXCodeGenerator generator, Value call, string instruction)
    {
        string address = PtxEmitter.Address(generator, call, 0);
        PtxEmitter.Write(generator, instruction, $"{PtxEmitter.Vector(PtxEmitter.Results(generator, call))}, [{address}]");
    }

    private static uint* Row(ulong* table, int matrix, int row) => (uint*)*WarpExchange.Slot(table, (8 * matrix) + row);
}
