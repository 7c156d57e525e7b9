using Ldvc.Ptx;

namespace Ldvc.Bench.Ptx;

/// <summary>A kernel in manifest.json.</summary>
/// <param name="Kernel">Its name in the catalog.</param>
/// <param name="File">Its PTX.</param>
/// <param name="Entry">The symbol to launch.</param>
/// <param name="Source">Class and method in src/Kernels.</param>
/// <param name="Block">Threads of a group.</param>
/// <param name="MinGroupsPerMultiprocessor">What the code asks the assembler for; 0 for nothing.</param>
/// <param name="StaticSharedBytes">Shared memory that the code declares.</param>
/// <param name="DynamicSharedBytes">Shared memory that a launch adds, at most.</param>
/// <param name="LiveRegisters">Registers of 32 bits that hold values which are still needed, at most, in the order of the text; without arguments and
/// constants.</param>
/// <param name="MaxRegisters">Registers that a thread may have, given the block and the groups that should fit a multiprocessor.</param>
/// <param name="Launches">How it is launched on a card with 108 multiprocessors.</param>
internal sealed record PtxEntry(
    string Kernel,
    string File,
    string Entry,
    string Source,
    int[] Block,
    int MinGroupsPerMultiprocessor,
    int StaticSharedBytes,
    int DynamicSharedBytes,
    int LiveRegisters, int MaxRegisters, PtxLaunch[] Launches);
