using System.CommandLine;
using System.Text.Json;
using Ldvc.App.Cli;
using Ldvc.Bench.Cli;
using Ldvc.Kernels.Gpu;
using Ldvc.Ptx;
using Ldvc.Tensors;

namespace Ldvc.Bench.Ptx;

/// <summary>
/// Writes the CUDA code of every GPU kernel, made without a device: one .ptx file a kernel and manifest.json. Two runs write the same bytes. Every
/// file is verified for sm_80 and sm_90; findings make the run fail, after all files are written.
/// </summary>
internal static class PtxVerb
{
    private static readonly JsonSerializerOptions s_json =
        new() { WriteIndented = true, NewLine = "\n", PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private static readonly int[] s_targets = [80, 90];

    internal static Command Create()
    {
        Option<string> folder = CommandParts.Out("DIR", "The folder to write to; made when it is missing.");
        Option<string?> filter = BenchParts.Filter("Only kernels with TEXT in their name.");
        var command = new VerbCommand(
            "ptx",
            "The CUDA code of every GPU kernel, one .ptx file each, verified for sm_80 and sm_90, and manifest.json; needs no GPU. Exit code 1 when "
                + "the verifier finds something.",
            "dotnet run -c Release --project bench -- ptx --out ptx --filter matmul")
        {
            folder,
            filter,
        };
        command.SetAction(result => Run(OptionValue.RequiredText(result, folder), OptionValue.Text(result, filter)));
        return command;
    }

    private static int Run(string folder, string? filter)
    {
        Directory.CreateDirectory(folder);
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
                kernel.Name,
                file,
                PtxCompiler.EntryPoint(ptx),
                SourceOf(kernel),
                [kernel.GroupSize, 1, 1],
                kernel.GroupsPerMultiprocessor,
                kernel.SharedBytes,
                kernel.DynamicSharedBytes, pressure.Registers, kernel.MaxRegisters, [.. launches[kernel.Name]]));
            Console.WriteLine($"{kernel.Name}: {ptx.AsSpan().Count('\n')} lines, {pressure.Registers} registers live at most "
                + $"({pressure.WithArguments} with arguments), {kernel.MaxRegisters} may be used");
            found.ForEach(finding => Console.WriteLine($"{file}: {finding}"));
            findings += found.Count;
        }

        File.WriteAllText(Path.Combine(folder, "manifest.json"), JsonSerializer.Serialize(entries, s_json) + "\n");
        Console.WriteLine($"{entries.Count} kernels in {folder}; verified for {string.Join(" and ", s_targets.Select(target => $"sm_{target}"))}: "
            + $"{findings} findings");
        return findings == 0 ? 0 : 1;
    }

    // The class and method behind a kernel, without the assembly's root namespace.
    private static string SourceOf(GpuKernel kernel) => $"{kernel.Method.DeclaringType!.FullName!["Ldvc.Kernels.".Length..]}.{kernel.Method.Name}";
}
