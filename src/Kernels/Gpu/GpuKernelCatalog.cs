using System.Reflection;
using System.Runtime.CompilerServices;

namespace Ldvc.Kernels.Gpu;

/// <summary>Every GPU kernel there is, by name: what the PTX checks, `bench ptx` and the table of docs/kernels.md walk.</summary>
internal static class GpuKernelCatalog
{
    private static readonly Lazy<IReadOnlyList<GpuKernel>> s_all = new(Collect);

    /// <summary>All kernels, ordered by name. A kernel is in it by being a static field of a class of this assembly.</summary>
    internal static IReadOnlyList<GpuKernel> All => s_all.Value;

    private static List<GpuKernel> Collect()
    {
        var kernels = new List<GpuKernel>();
        foreach (var type in typeof(GpuKernelCatalog).Assembly.GetTypes().Where(type => !type.ContainsGenericParameters))
        {
            foreach (var field in type.GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
            {
                if (typeof(GpuKernel).IsAssignableFrom(field.FieldType))
                {
                    RuntimeHelpers.RunClassConstructor(type.TypeHandle);
                    kernels.Add((GpuKernel)field.GetValue(null)!);
                }
                else if (typeof(IEnumerable<GpuKernel>).IsAssignableFrom(field.FieldType))
                {
                    kernels.AddRange((IEnumerable<GpuKernel>)field.GetValue(null)!);
                }
            }
        }

        var twice = kernels.GroupBy(kernel => kernel.Name).FirstOrDefault(group => group.Count() > 1);
        return twice is null
            ? [.. kernels.OrderBy(kernel => kernel.Name, StringComparer.Ordinal)]
            : throw new InvalidOperationException($"{twice.Count()} GPU kernels are called {twice.Key}");
    }
}
