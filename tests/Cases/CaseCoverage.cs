using System.Reflection;
using Ldvc.Autograd;
using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Cases;

/// <summary>What the case lists leave untested.</summary>
internal static class CaseCoverage
{
    /// <summary>Operations: extension methods on Tape in static classes of Ldvc.Autograd.Ops.</summary>
    internal static IEnumerable<MethodInfo> Operations(IEnumerable<Type> types) => types
        .Where(type => type is { IsAbstract: true, IsSealed: true, IsNested: false } && type.Namespace == "Ldvc.Autograd.Ops")
        .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
        .Where(
            method => method.ReturnType == typeof(Variable) && method.IsDefined(typeof(System.Runtime.CompilerServices.ExtensionAttribute), false));

    /// <summary>
    /// What is missing, a line each: operations without a checked case, without a real size, without a case for the simulator, and classes named as
    /// operations that have none.
    /// </summary>
    internal static List<string> UntestedOperations(IEnumerable<Type> types, IEnumerable<OpCase> cases)
    {
        var missing = new List<string>();
        var all = cases.ToLookup(c => $"{c.Op.Name}.{c.Method}");
        foreach (var method in Operations(types))
        {
            string name = $"{method.DeclaringType!.Name}.{method.Name}";
            if (!all[name].Any(c => !c.Real))
            {
                missing.Add($"{name} has no case with a float64 reference");
            }

            if (!all[name].Any(c => c.Real))
            {
                missing.Add($"{name} has no real size");
            }

            if (!all[name].Any(c => c.Tiny))
            {
                missing.Add($"{name} has no case that is small enough for the simulator");
            }
        }

        var classes = Operations(types).Select(method => method.DeclaringType!).ToHashSet();
        missing.AddRange(types
            .Where(type => type is { IsClass: true, IsNested: false, Namespace: "Ldvc.Autograd.Ops" }
                && type.Name.EndsWith("Op", StringComparison.Ordinal) && !classes.Contains(type))
            .Select(type => $"{type.Name} has no extension method on Tape"));
        return missing;
    }

    /// <summary>The contract methods that a run of the given cases calls on a device's kernels.</summary>
    internal static HashSet<string> CalledMethods(IEnumerable<OpCase> ops, IEnumerable<KernelCase> kernels)
    {
        var called = new HashSet<string>();
        using var plain = new CpuDevice(1);
        using var counted = new CpuDevice(1);
        counted.Kernels = CountingKernels.Wrap(KernelSet.For(plain), called);
        foreach (var c in ops)
        {
            CaseRunner.Run(c, counted, new OpRunOptions());
        }

        foreach (var c in kernels)
        {
            var method = c.Contract.GetMethod(c.Method) ?? throw new InvalidOperationException($"{c.Contract.Name} has no method {c.Method}");
            if (CountingKernels.CanCount(method))
            {
                using var run = c.Prepare(counted);
                run.Launch();
            }
            else
            {
                // Taken at its word: its reference compares what only this method can have written.
                called.Add($"{c.Contract.Name}.{c.Method}");
            }
        }

        counted.Kernels = null;
        return called;
    }

    /// <summary>Methods of the contracts that are not among those called.</summary>
    internal static List<string> UntestedMethods(IEnumerable<Type> contracts, IReadOnlySet<string> called) =>
        [.. contracts.SelectMany(contract => contract.GetMethods().Select(method => $"{contract.Name}.{method.Name}"))
            .Where(name => !called.Contains(name))];
}
