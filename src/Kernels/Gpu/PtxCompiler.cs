using System.Globalization;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;

namespace Ldvc.Kernels.Gpu;

/// <summary>
/// The PTX of a kernel, as the CUDA device gets it, made without a device. ILGPU's names carry numbers that count up as long as the process lives;
/// they are numbered anew here, so that the text depends on the kernel alone.
/// </summary>
internal static partial class PtxCompiler
{
    /// <summary>PTX for sm_80, the newest that ILGPU writes; newer cards run it.</summary>
    /// <exception cref="NotSupportedException">ILGPU refuses the kernel.</exception>
    internal static string Compile(GpuKernel kernel)
    {
        // Options as in GpuPlatform: other ones would be other code.
        using var context = Context.Create(builder => builder.EnableAlgorithms().Optimize(OptimizationLevel.O2));
        using var builder = new PtxBuilder(context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_80);
        try
        {
            return Renumber(((PTXCompiledKernel)builder.Compile(kernel)).PTXAssembly.ReplaceLineEndings("\n"));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new NotSupportedException($"kernel {kernel}: ILGPU cannot compile it to PTX: {e.GetBaseException().Message}", e);
        }
    }

    /// <summary>The kernel's symbol in its PTX.</summary>
    internal static string EntryPoint(string ptx) => Entry().Match(ptx).Groups[1].Value;

    private static string Renumber(string ptx)
    {
        var numbers = new Dictionary<string, int>();
        return IdentifierNumber().Replace(ptx, match =>
        {
            if (!numbers.TryGetValue(match.Value, out int number))
            {
                numbers[match.Value] = number = numbers.Count + 1;
            }

            return number.ToString(CultureInfo.InvariantCulture);
        });
    }

    // The digits after an identifier's last underscore, but for sm_80.
    [GeneratedRegex(@"(?<=\b\w*_)(?<!\bsm_)\d+\b")]
    private static partial Regex IdentifierNumber();

    [GeneratedRegex(@"\.entry\s+(\w+)")]
    private static partial Regex Entry();
}
