using System.Text.Json;
using Ldvc.Kernels.Gpu;
using Ldvc.Ptx;
using Ldvc.Tensors;

namespace Ldvc.Bench.Ptx;

/// <summary>
/// Writes the CUDA code of every GPU kernel, made without a device: one .ptx file a kernel and manifest.json. Two runs write the same bytes. Every file is
/// verified for sm_80 and sm_90; findings make the run fail, after all files are written.
/// </summary>
internal static class PtxVerb
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, NewLine = "\n", PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private static readonly int[] s_targets = [80, 90];

    internal static int Run(ReadOnlySpan<string> args)
    {
        string? folder = null, filter = null;
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new InputException($"'{args[i]}': expected a value after it");
            switch (args[i])
            {
                case "--out": folder = value; break;
                case "--filter": filter = value; break;
                default: throw new InputException($"'{args[i]}': expected --out DIR or --filter TEXT");
            }
        }

        Directory.CreateDirectory(folder ?? throw new InputException("ptx: expected --out DIR"));
        var launches = PtxLaunches.Record();
        var entries = new List<PtxEntry>();
        int findings = 0;
        foreach (var kernel in GpuKernelCatalog.All.Where(kernel => filter is null || kernel.Name.Contains(filter, StringComparison.Ordinal)))
        {
            string ptx = PtxCompiler.Compile(kernel), file = kernel.Name + ".ptx";
            File.WriteAllText(Path.Combine(folder, file), ptx);
            var found = s_targets.SelectMany(target => PtxVerifier.Check(ptx, target)).Distinct().ToList();
            var pressure = found.Count == 0 ? PtxPressure.Of(new PtxFlow(PtxModule.Parse(ptx).Kernel)) : new PtxPressure(0, 0, 0, 0);
            entries.Add(new PtxEntry(
                kernel.Name, file, PtxCompiler.EntryPoint(ptx), SourceOf(kernel), [kernel.GroupSize, 1, 1], kernel.GroupsPerMultiprocessor, kernel.SharedBytes,
                kernel.DynamicSharedBytes, pressure.Registers, kernel.MostRegisters, [.. launches[kernel.Name]]));
            Console.WriteLine($"{kernel.Name}: {ptx.AsSpan().Count('\n')} lines, {pressure.Registers} registers live at most ({pressure.WithArguments} with arguments), {kernel.MostRegisters} may be used");
            found.ForEach(finding => Console.WriteLine($"{file}: {finding}"));
            findings += found.Count;
        }

        File.WriteAllText(Path.Combine(folder, "manifest.json"), JsonSerializer.Serialize(entries, s_json) + "\n");
        Console.WriteLine($"{entries.Count} kernels in {folder}; verified for {string.Join(" and ", s_targets.Select(target => $"sm_{target}"))}: {findings} findings");
        return findings == 0 ? 0 : 1;
    }

    // The class and method behind a kernel, without the assembly's root namespace.
    private static string SourceOf(GpuKernel kernel) => $"{kernel.Method.DeclaringType!.FullName!["Ldvc.Kernels.".Length..]}.{kernel.Method.Name}";
}
