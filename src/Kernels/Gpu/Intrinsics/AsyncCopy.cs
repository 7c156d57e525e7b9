using System.Runtime.CompilerServices;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace Ldvc.Kernels.Gpu.Intrinsics;

/// <summary>
/// cp.async: copies from global to shared memory that run behind the arithmetic. The simulator carries them out as late as the instruction set
/// allows, when a wait asks for them, so that a kernel which reads too early fails there too.
/// </summary>
internal static unsafe class AsyncCopy
{
    [ThreadStatic]
    private static Queue<List<Pending>>? _groups;

    [ThreadStatic]
    private static List<Pending>? _open;

    /// <summary>
    /// cp.async.cg.shared.global: 16 bytes past L1; of the source only the first <paramref name="bytes"/> are read (0 to 16), the rest becomes zero.
    /// </summary>
    [IntrinsicImplementation]
    internal static void Copy16(ref Halves8 target, ref Halves8 source, int bytes)
    {
        _open ??= [];
        _open.Add(new Pending((nint)Unsafe.AsPointer(ref target), (nint)Unsafe.AsPointer(ref source), bytes));
    }

    /// <summary>cp.async.commit_group: closes a group of copies.</summary>
    [IntrinsicImplementation]
    internal static void Commit()
    {
        _groups ??= new();
        _groups.Enqueue(_open ?? []);
        _open = null;
    }

    /// <summary>cp.async.wait_group 0: all groups have arrived.</summary>
    [IntrinsicImplementation]
    internal static void WaitAll() => Finish(0);

    /// <summary>cp.async.wait_group 1: all groups but the newest have arrived.</summary>
    [IntrinsicImplementation]
    internal static void WaitAllButOne() => Finish(1);

    /// <summary>Copies of the calling thread that nothing waited for; a kernel must leave none behind.</summary>
    internal static int Unfinished => (_groups?.Sum(group => group.Count) ?? 0) + (_open?.Count ?? 0);

    internal static void EmitCopy16(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string target = PtxEmitter.Address(generator, call, 0), source = PtxEmitter.Address(generator, call, 1);
        string bytes = PtxEmitter.Operands(generator, call, 2, 3)[0];
        PtxEmitter.Write(generator, "cp.async.cg.shared.global", $"[{target}], [{source}], 16, {bytes}");
    }

    internal static void EmitCommit(PTXBackend backend, PTXCodeGenerator generator, Value call) => generator.Command("cp.async.commit_group");

    internal static void EmitWaitAll(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        PtxEmitter.Write(generator, "cp.async.wait_group", "0");

    internal static void EmitWaitAllButOne(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        PtxEmitter.Write(generator, "cp.async.wait_group", "1");

    private static void Finish(int left)
    {
        while (_groups is { } groups && groups.Count > left)
        {
            foreach (var copy in groups.Dequeue())
            {
                var target = new Span<byte>((void*)copy.Target, 16);
                new ReadOnlySpan<byte>((void*)copy.Source, copy.Bytes).CopyTo(target);
                target[copy.Bytes..].Clear();
            }
        }
    }

    private readonly record struct Pending(nint Target, nint Source, int Bytes);
}
