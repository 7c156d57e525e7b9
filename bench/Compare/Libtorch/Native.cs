using System.Reflection;
using System.Runtime.InteropServices;

namespace Ldvc.Bench.Compare.Libtorch;

/// <summary>
/// libtorch's C interface, the one made for compiled extensions: every operator can be called by name. Values on the operator's stack are 64 bits:
/// a tensor handle, a double's bits, an integer; 0 is an absent optional.
/// </summary>
internal static unsafe partial class Native
{
    private const string Library = "torch_cpu";
    private const string How = "dotnet restore bench/peers/libtorch.csproj fetches it (Linux x64), or set LDVC_LIBTORCH to a folder with "
        + "libtorch_cpu.so";

    static Native() => NativeLibrary.SetDllImportResolver(Assembly.GetExecutingAssembly(), (name, _, _) =>
        name == Library ? NativeLibrary.Load(Path.Combine(Folder()!, "libtorch_cpu.so")) : IntPtr.Zero);

    /// <summary>Why libtorch cannot take part; null when it can.</summary>
    internal static string? Problem()
    {
        string? folder = Folder();
        if (folder is null)
        {
            return How;
        }

        return NativeLibrary.TryLoad(Path.Combine(folder, "libtorch_cpu.so"), out _) ? null : $"{folder}/libtorch_cpu.so does not load here; {How}";
    }

    /// <summary>Calls an operator; arguments on the way in, results on the way out. It takes over the handles it is given.</summary>
    internal static void Call(string operation, string overload, Span<ulong> stack)
    {
        fixed (ulong* first = stack)
        {
            Check(Dispatch(operation, overload, first), operation);
        }
    }

    /// <summary>A tensor over memory that stays the caller's.</summary>
    internal static ulong FromMemory(float* data, ReadOnlySpan<long> sizes)
    {
        Span<long> strides = stackalloc long[sizes.Length];
        long stride = 1;
        for (int i = sizes.Length - 1; i >= 0; stride *= sizes[i], i--)
        {
            strides[i] = stride;
        }

        fixed (long* s = sizes, t = strides)
        {
            Check(CreateFromBlob(data, sizes.Length, s, t, 0, Float32(), Cpu(), 0, out ulong tensor), "from_blob");
            return tensor;
        }
    }

    /// <summary>Another handle to the same tensor, to be given away.</summary>
    internal static ulong Share(ulong tensor)
    {
        Check(NewHandle(tensor, out ulong other), "new_tensor_handle");
        return other;
    }

    internal static void Free(ulong tensor) => Check(Delete(tensor), "delete");

    /// <summary>The values of a contiguous tensor.</summary>
    internal static float[] Values(ulong tensor)
    {
        Span<ulong> stack = [Share(tensor), 0];
        Call("aten::contiguous", string.Empty, stack);
        Check(Count(stack[0], out long count), "numel");
        Check(Data(stack[0], out float* data), "data_ptr");
        var values = new ReadOnlySpan<float>(data, checked((int)count)).ToArray();
        Free(stack[0]);
        return values;
    }

    private static string? Folder()
    {
        string packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        string restored = Path.Combine(packages, "libtorch-cpu-linux-x64", "2.10.0", "runtimes", "linux-x64", "native");
        return new[] { Environment.GetEnvironmentVariable("LDVC_LIBTORCH"), restored }.FirstOrDefault(
            f => f is not null && File.Exists(Path.Combine(f, "libtorch_cpu.so")));
    }

    private static void Check(int error, string what)
    {
        if (error != 0)
        {
            throw new InvalidOperationException($"libtorch: {what} failed, its message is above");
        }
    }

    [LibraryImport(Library, EntryPoint = "aoti_torch_call_dispatcher", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Dispatch(string operation, string overload, ulong* stack);

    [LibraryImport(Library, EntryPoint = "aoti_torch_create_tensor_from_blob")]
    private static partial int CreateFromBlob(
        void* data, long rank, long* sizes, long* strides, long offset, int type, int device, int index, out ulong tensor);

    [LibraryImport(Library, EntryPoint = "aoti_torch_new_tensor_handle")]
    private static partial int NewHandle(ulong tensor, out ulong other);

    [LibraryImport(Library, EntryPoint = "aoti_torch_delete_tensor_object")]
    private static partial int Delete(ulong tensor);

    [LibraryImport(Library, EntryPoint = "aoti_torch_get_numel")]
    private static partial int Count(ulong tensor, out long count);

    [LibraryImport(Library, EntryPoint = "aoti_torch_get_data_ptr")]
    private static partial int Data(ulong tensor, out float* data);

    [LibraryImport(Library, EntryPoint = "aoti_torch_dtype_float32")]
    private static partial int Float32();

    [LibraryImport(Library, EntryPoint = "aoti_torch_device_type_cpu")]
    private static partial int Cpu();
}
