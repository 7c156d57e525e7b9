using System.Reflection;
using System.Runtime.CompilerServices;
using Ldvc.Kernels;

namespace Ldvc.Cases;

/// <summary>Kernels of a device that note which contract methods are called, and call them.</summary>
internal static class CountingKernels
{
    /// <summary>The contracts: the interfaces that a kernel set has one of each.</summary>
    internal static IEnumerable<Type> Contracts => Families(typeof(KernelSet)).Select(family => family.PropertyType);

    /// <summary>Wraps every family of a kernel set; "IContract.Method" of every call goes to the set of names.</summary>
    internal static KernelSet Wrap(KernelSet kernels, HashSet<string> called)
    {
        var counting = (KernelSet)RuntimeHelpers.GetUninitializedObject(typeof(KernelSet));
        foreach (var family in Families(typeof(KernelSet)))
        {
            family.SetValue(counting, CountingProxy.Create(family.PropertyType, family.GetValue(kernels)!, called));
        }

        return counting;
    }

    /// <summary>Whether calls of a method can be noted. A span cannot pass through a proxy's array of arguments.</summary>
    internal static bool CanCount(MethodInfo method) => !method.GetParameters().Any(parameter => parameter.ParameterType.IsByRefLike);

    private static IEnumerable<PropertyInfo> Families(Type set) =>
        set.GetProperties(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public).Where(property => property.PropertyType.IsInterface);
}

/// <summary>The proxy behind <see cref="CountingKernels"/>.</summary>
public class CountingProxy : DispatchProxy
{
    private object? _target;
    private HashSet<string>? _called;

    internal static object Create(Type contract, object target, HashSet<string> called)
    {
        object proxy = Create(contract, typeof(CountingProxy));
        var counting = (CountingProxy)proxy;
        (counting._target, counting._called) = (target, called);
        return proxy;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        _called!.Add($"{targetMethod!.DeclaringType!.Name}.{targetMethod.Name}");
        return targetMethod.Invoke(_target, BindingFlags.DoNotWrapExceptions, null, args, null);
    }
}
