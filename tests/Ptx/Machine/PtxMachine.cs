using Ldvc.Kernels.Gpu;

namespace Ldvc.Ptx.Machine;

/// <summary>
/// Runs the CUDA code of kernels without a card: the text itself, instruction by instruction, with the grid, the groups and the memory of a launch.
/// What a card leaves undefined is an error: races, reads of what an asynchronous copy has not brought, memory outside of views, threads that
/// disagree where they must not. A simulator's launcher whose <see cref="GpuLauncher.Recorder"/> this is runs everything through it.
/// </summary>
internal sealed class PtxMachine
{
    private readonly Dictionary<string, PtxProgram> _programs = [];

    /// <summary>Launches so far, by kernel.</summary>
    internal Dictionary<string, int> Launches { get; } = [];

    /// <summary>Whether accesses to memory are counted.</summary>
    internal bool CountsTraffic { get; init; }

    /// <summary>The accesses of each kernel, if they are counted.</summary>
    internal Dictionary<string, PtxTraffic> Traffic { get; } = [];

    /// <summary>Runs a launch to its end.</summary>
    /// <exception cref="PtxRunException">It did what is undefined on a card, or what the machine does not know.</exception>
    internal void Run(GpuLaunch launch)
    {
        string name = launch.Kernel.Name;
        if (launch.DynamicSharedBytes > 0)
        {
            throw new PtxRunException($"{name}: the machine knows no dynamic shared memory");
        }

        if (!_programs.TryGetValue(name, out var program))
        {
            _programs.Add(name, program = new PtxProgram(PtxModule.Parse(PtxCompiler.Compile(launch.Kernel)).Kernel));
        }

        Launches[name] = Launches.GetValueOrDefault(name) + 1;
        var arguments = new PtxArgumentBytes(launch.Arguments);
        int expected = program.Kernel.Parameters.Sum(parameter => parameter.Bytes);
        if (arguments.Bytes.Length != expected)
        {
            throw new PtxRunException($"{name}: {arguments.Bytes.Length} bytes of arguments, the code takes {expected}");
        }

        PtxTraffic? traffic = CountsTraffic && !Traffic.TryGetValue(name, out traffic)
            ? Traffic[name] = new PtxTraffic()
            : Traffic.GetValueOrDefault(name);
        try
        {
            Run(
                program,
                arguments.Bytes,
                new PtxGlobalMemory(arguments.Views),
                (launch.GridX, launch.GridY, launch.GridZ),
                launch.Kernel.GroupSize,
                traffic);
        }
        catch (PtxRunException error)
        {
            throw new PtxRunException($"{name}: {error.Message}");
        }
    }

    /// <summary>Runs a grid.</summary>
    /// <param name="program">The kernel.</param>
    /// <param name="arguments">Its parameters' bytes.</param>
    /// <param name="global">The memory that it may use.</param>
    /// <param name="grid">Groups.</param>
    /// <param name="threads">Threads of a group.</param>
    /// <param name="traffic">Where accesses are counted, if somebody wants to know.</param>
    internal static void Run(
        PtxProgram program, byte[] arguments, PtxGlobalMemory global, (int X, int Y, int Z) grid, int threads, PtxTraffic? traffic = null)
    {
        for (int z = 0; z < grid.Z; z++)
        {
            for (int y = 0; y < grid.Y; y++)
            {
                for (int x = 0; x < grid.X; x++)
                {
                    new PtxGroup(program, arguments, global, (x, y, z), grid, threads, traffic).Run();
                }
            }
        }
    }
}
