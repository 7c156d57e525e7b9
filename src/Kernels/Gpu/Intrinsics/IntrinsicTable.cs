using System.Reflection;
using ILGPU;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace Ldvc.Kernels.Gpu.Intrinsics;

/// <summary>
/// All custom instructions. Method X of a class is compiled for CUDA by its neighbour EmitX; the body of X is what the simulator runs. OpenCL has
/// none of them: kernels that use them are not loaded there.
/// </summary>
internal static class IntrinsicTable
{
    private static readonly Type[] _classes = [typeof(Bf16), typeof(Fp16), typeof(FastMath), typeof(Mma), typeof(LdMatrix), typeof(AsyncCopy)];

    /// <summary>The methods, in the order of registration.</summary>
    internal static IEnumerable<MethodInfo> Methods =>
        from type in _classes
        from method in type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic)
        where method.GetCustomAttribute<IntrinsicImplementationAttribute>() is not null
        orderby type.Name, method.Name
        select method;

    /// <summary>Makes the instructions known to a context; called once, before its first kernel is compiled.</summary>
    internal static void Register(Context context)
    {
        foreach (var method in Methods)
        {
            context.GetIntrinsicManager().RegisterMethod(
                method, new PTXIntrinsic(method.DeclaringType!, "Emit" + method.Name, IntrinsicImplementationMode.GenerateCode));
        }
    }
}
