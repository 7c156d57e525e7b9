using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Kernels;

/// <summary>One place picks the vector width.</summary>
[Collection("simd")]
public sealed class SimdDispatchTests : IDisposable
{
    private const byte Call = 0x28;
    private readonly int _bits = SimdLevel.Bits;

    [Theory]
    [InlineData(128, 4)]
    [InlineData(256, 8)]
    [InlineData(512, 16)]
    public unsafe void KernelsRunWithTheWidthThatIsSet(int bits, int lanes)
    {
        SimdLevel.Bits = bits;
        using var device = new CpuDevice(2);
        int* counts = stackalloc int[5];
        var arguments = new Lanes { Counts = counts };
        SimdDispatch.For<CountLanes, Lanes>(device.Threads, 5, &arguments);
        Assert.Equal([lanes, lanes, lanes, lanes, lanes], new Span<int>(counts, 5).ToArray());
    }

    [Fact]
    public unsafe void ACallAllocatesNothing()
    {
        using var device = new CpuDevice(1);
        int* counts = stackalloc int[5];
        var arguments = new Lanes { Counts = counts };
        SimdDispatch.For<CountLanes, Lanes>(device.Threads, 5, &arguments);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            SimdDispatch.For<CountLanes, Lanes>(device.Threads, 5, &arguments);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void NothingElseInTheAssemblyReadsTheWidth()
    {
        using var file = new PEReader(File.OpenRead(typeof(SimdDispatch).Assembly.Location));
        var reader = file.GetMetadataReader();
        int getter = reader.MethodDefinitions
            .Where(method => NameOf(reader, method) == "SimdLevel.get_Bits")
            .Select(method => MetadataTokens.GetToken(method))
            .Single();
        byte[] call = [Call, .. BitConverter.GetBytes(getter)];
        var readers = reader.MethodDefinitions
            .Where(method => reader.GetMethodDefinition(method).RelativeVirtualAddress is > 0 and var address
                && file.GetMethodBody(address).GetILContent().AsSpan().IndexOf(call) >= 0)
            .Select(method => NameOf(reader, method));
        Assert.Equal(["SimdDispatch.Run"], readers);
    }

    public void Dispose() => SimdLevel.Bits = _bits;

    private static string NameOf(MetadataReader reader, MethodDefinitionHandle handle)
    {
        var method = reader.GetMethodDefinition(handle);
        return $"{reader.GetString(reader.GetTypeDefinition(method.GetDeclaringType()).Name)}.{reader.GetString(method.Name)}";
    }

    private unsafe struct Lanes
    {
        public int* Counts;
    }

    private readonly struct CountLanes : ITileKernel<Lanes>
    {
        public static unsafe void Tile<S, V>(Lanes* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct => a->Counts[tile] = S.Count;
    }
}
