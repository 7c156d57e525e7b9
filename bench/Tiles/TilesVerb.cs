using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Ldvc.App.Cli;
using Ldvc.Bench.Cli;
using Ldvc.Bench.Compare.Ours;
using Ldvc.Kernels;
using Ldvc.Kernels.MatMul;
using Ldvc.Kernels.MatMul.Gpu;
using Ldvc.Kernels.MatMul.TensorCore;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Spectre.Console;

namespace Ldvc.Bench.Tiles;

/// <summary>
/// `bench tiles`: matrix products of a GPU with every tile and every cut of their sums, and which of them the program takes: what the thresholds of
/// <see cref="MatMulPlan"/> and of the tiles' choice are set by.
/// </summary>
internal static class TilesVerb
{
    private const int Runs = 20;
    private const int Rounds = 3;
    private const long MaxPartialSums = 1 << 28;

    private static readonly int[] s_parts = [1, 2, 3, 4, 6, 8, 12, 16];

    // The products of ViT-B/16 at 512 with batch 1 and 16, of the decoder, of the texts, and weight gradients.
    private static readonly (int M, int N, int K, string Form)[] s_shapes =
    [
        (1035, 3072, 768, "NT"), (1035, 2304, 768, "NT"), (1035, 768, 3072, "NT"), (1035, 768, 768, "NT"),
        (1035, 768, 3072, "NN"), (1035, 768, 2304, "NN"),
        (1024, 512, 512, "NT"), (512, 512, 1024, "TN"), (2048, 512, 1024, "TN"),
        (135, 2048, 512, "NT"), (135, 512, 2048, "NT"), (135, 512, 512, "NN"), (15, 512, 512, "NT"),
        (16560, 3072, 768, "NT"), (16560, 768, 3072, "NN"), (512, 512, 16384, "TN"),
    ];

    internal static Command Create()
    {
        Option<string?> filter = BenchParts.Filter("Only products with TEXT in their name, e.g. \"1035 x 768\"."), json = CommandParts.Json();
        var command = new VerbCommand(
            "tiles",
            "Matrix products of a GPU with every tile and cut of their sums, and which the program takes.",
            "dotnet run -c Release --project bench -- tiles --device cuda --precision bf16") { filter, json };
        DeviceParts on = DeviceParts.AddTo(command, "cuda", "cuda[:i] | opencl[:i].");
        command.SetAction(result => Run(on.Read(result), OptionValue.Text(result, filter) ?? string.Empty, OptionValue.OutputFile(result, json)));
        return command;
    }

    private static int Run(WorkDevice on, string filter, string? json)
    {
        using var opened = on.Open();
        if (opened is not GpuDevice { HasEvents: true } device)
        {
            throw new InputException($"--device {on.Name}: expected a GPU with a clock of its own, cuda or opencl");
        }

        var table = new Table().Border(TableBorder.Simple).AddColumn("product").AddColumn("tile");
        foreach (int parts in s_parts)
        {
            table.AddColumn(new TableColumn(parts == 1 ? "us whole" : $"{parts} parts").RightAligned());
        }

        table.AddColumn(new TableColumn("TFLOP/s at best").RightAligned());
        var found = new List<object>();
        foreach (var (m, n, k, form) in s_shapes)
        {
            string product = $"{m} x {n} x {k} {form}";
            if (product.Contains(filter, StringComparison.Ordinal))
            {
                Product(device, m, n, k, form, table, found);
            }
        }

        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = 180;
        }

        Console.WriteLine($"{on.Name} in {on.Precision.ToString().ToLowerInvariant()}; microseconds, "
            + $"median of {Rounds} times {Runs} runs with operands in the second-level cache; * is what the program takes");
        AnsiConsole.Write(table);
        if (json is not null)
        {
            File.WriteAllText(json, JsonSerializer.Serialize(found));
        }

        return 0;
    }

    private static void Product(GpuDevice device, int m, int n, int k, string form, Table table, List<object> found)
    {
        bool transposeA = form[0] == 'T', transposeB = form[1] == 'T';
        using var a = Values(device, m * k, 1);
        using var b = Values(device, n * k, 2);
        using var c = device.Empty(new Shape(m * n));
        var gemm = new Gemm(m, n, k, a, b, c)
        {
            TransposeA = transposeA,
            TransposeB = transposeB,
            Lda = transposeA ? m : k,
            Ldb = transposeB ? k : n
        };
        var launcher = KernelSet.For(device).Launcher!;
        var portable = new GpuMatMul(launcher);
        var tensorCore = new TensorCoreMatMul(launcher, device.Precision);
        bool fp32 = device.Precision == Precision.Fp32;
        var (takenLarge, takenPart) = fp32 ? portable.Choose(gemm) : tensorCore.Choose(gemm);
        foreach (bool large in new[] { false, true })
        {
            var cells = new List<string> { large ? string.Empty : $"{m} x {n} x {k} {form}", large ? "128" : "64" };
            double best = double.PositiveInfinity;
            foreach (int parts in s_parts)
            {
                int part = parts == 1 ? 0 : MatMulPlan.Steps(k, parts);
                if (parts > 1 && (part >= k || part < 32 || (long)parts * m * n > MaxPartialSums))
                {
                    cells.Add(string.Empty);
                    continue;
                }

                double seconds = Seconds(device, () =>
                {
                    if (fp32)
                    {
                        portable.Run(gemm, large, part);
                    }
                    else
                    {
                        tensorCore.Run(gemm, large, part);
                    }
                });
                best = Math.Min(best, seconds);
                bool taken = large == takenLarge && part == takenPart;
                cells.Add((seconds * 1e6).ToString("F1", CultureInfo.InvariantCulture) + (taken ? "*" : string.Empty));
                found.Add(new { m, n, k, form, large, parts, seconds, taken });
            }

            cells.Add((2.0 * m * n * k / best / 1e12).ToString("F1", CultureInfo.InvariantCulture));
            table.AddRow([.. cells]);
        }
    }

    private static double Seconds(GpuDevice device, Action run)
    {
        run();
        var rounds = new double[Rounds];
        for (int i = 0; i < Rounds; i++)
        {
            rounds[i] = device.Time(() =>
            {
                for (int j = 0; j < Runs; j++)
                {
                    run();
                }
            }) / Runs;
        }

        return rounds.Order().ElementAt(Rounds / 2);
    }

    private static Tensor Values(GpuDevice device, int count, int seed)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = random.NextSingle() - 0.5f;
        }

        return device.Precision.HalfType() is { } half
            ? device.FromHostRounded(values, new Shape(count), half)
            : device.FromHost(values, new Shape(count));
    }
}
