using System.IO.Compression;
using Ldvc.Tensors.Serialization;
using Xunit;

namespace Ldvc.Tests.Serialization;

public class HostileCheckpointTests
{
    [Theory]
    [InlineData("os", "system")]
    [InlineData("posix", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("__builtin__", "exec")]
    [InlineData("torch", "load")]
    [InlineData("torch.serialization", "_load")]
    [InlineData("collections", "OrderedDict.__init__")]
    [InlineData("argparse", "ArgumentParser")]
    [InlineData("pathlib", "os.system")]
    [InlineData("builtins", "type")]
    [InlineData("operator", "attrgetter")]
    public void AnyOtherGlobalIsRefusedByName(string module, string name)
    {
        TestFiles.Refuses(new PickleBytes().Global(module, name).Text("touch x").Op([0x85, (byte)'R']).Zip(), $"'{module}.{name}'");
        TestFiles.Refuses(
            new PickleBytes().Text(module).Text(name).Op([0x93]).Text("touch x").Op([0x85, (byte)'R']).Zip(), $"'{module}.{name}'");

        // Named without being called, or as the class of an object, it is nothing.
        TestFiles.Refuses(new PickleBytes().Global(module, name).Zip(), "expected a checkpoint with named tensors");
        TestFiles.Refuses(new PickleBytes().Global(module, name).Text("touch x").Op([0x85, 0x81]).Zip(), "expected a checkpoint with named tensors");
    }

    [Theory]
    [InlineData("torch.FloatStorage", 4, 0, new long[] { 5 }, new long[] { 1 })]
    [InlineData("torch.FloatStorage", 4, 1, new long[] { 4 }, new long[] { 1 })]
    [InlineData("torch.FloatStorage", 4, -1, new long[] { 4 }, new long[] { 1 })]
    [InlineData("torch.FloatStorage", 4, 3, new long[] { 2 }, new long[] { -1 })]
    [InlineData("torch.FloatStorage", 4, 0, new long[] { 2, 2 }, new long[] { 1, 3 })]
    [InlineData("torch.FloatStorage", 4, 0, new long[] { 2, 2 }, new long[] { 1 })]
    [InlineData("torch.FloatStorage", 4, 0, new long[] { -1 }, new long[] { 1 })]
    [InlineData("torch.FloatStorage", 4, 0, new long[] { 1L << 40 }, new long[] { 0 })]
    [InlineData("torch.FloatStorage", 4, 0, new long[] { 4, (1 << 22) + 2 }, new long[] { 1, 0 })]
    [InlineData("torch.FloatStorage", 0, 0, new long[] { 1 }, new long[] { 0 })]
    [InlineData("torch.FloatStorage", 4, 0, new long[] { 1L << 40, 1L << 40 }, new long[] { 0, 0 })]
    [InlineData("torch.FloatStorage", 4, 0, new long[] { 2, 2 }, new long[] { long.MaxValue, long.MaxValue })]
    [InlineData("torch.FloatStorage", 5, 0, new long[] { 2 }, new long[] { 1 })]
    [InlineData("torch.FloatStorage", -1, 0, new long[] { 0 }, new long[] { 1 })]
    [InlineData("torch.FloatStorage", long.MaxValue, 0, new long[] { 1 }, new long[] { 1 })]
    [InlineData("torch.UntypedStorage", 16, 0, new long[] { 1 }, new long[] { 1 })]
    public void TensorsOutsideTheirStorageAreRefused(string type, long count, long offset, long[] shape, long[] strides)
    {
        TestFiles.Refuses(PickleBytes.OneTensor(type, count, offset, shape, strides).Zip(new byte[16]), "storage");
    }

    // builtins.getattr stands for methods, of which nothing is kept, and which must not be called.
    [Fact]
    public void MethodsAreNotCalled()
    {
        static PickleBytes Member(string module, string name) =>
            new PickleBytes().Global("builtins", "getattr").Op("(").Global(module, name).Text("system").Op("tR");
        TestFiles.Refuses(Member("os", "path").Zip(), "expected a checkpoint with named tensors");
        TestFiles.Refuses(Member("os", "path").Text("touch x").Op([0x85, (byte)'R']).Zip(), "not a function of the allow-list");
        TestFiles.Refuses(Member("torch", "device").Zip(), "calls Method with 2 arguments");

        // A hook that is a method of a module.
        PickleBytes bound = new PickleBytes().Global("builtins", "getattr").Op("(").Global("my", "Model").Op([(byte)')', 0x81])
            .Text("forward").Op("tR");
        TestFiles.Refuses(bound.Zip(), "expected a checkpoint with named tensors");
    }

    // A set holds nothing that is kept, and is no list or dict either.
    [Theory]
    [InlineData("]")]
    [InlineData("}")]
    [InlineData("N")]
    public void OnlySetsGetMembersOfSets(string target) =>
        TestFiles.Refuses(new PickleBytes().Op(target).Op("(").Int(1).Op([0x90]).Zip(), "not a set");

    // Each of the two stays below the limit.
    [Fact]
    public void ExpandedTensorsShareOneLimit()
    {
        const long half = 9 << 20;
        byte[] file = PickleBytes.OneTensor("torch.FloatStorage", 1, 0, [half], [0]).Text("y").Global("torch._utils", "_rebuild_tensor_v2").Op("(")
            .Storage("torch.FloatStorage", "0", 1).Int(0).Ints(half).Ints(0).Op([0x89]).Global("collections", "OrderedDict").Op(")RtRs")
            .Zip(new byte[4]);
        TestFiles.Refuses(file, "expanded tensor [9437184]", "at most 16777216");
    }

    // Each has as many elements as its storage, all of them the first one.
    [Fact]
    public void TensorsExpandedOverALargeStorageShareItToo()
    {
        const int elements = 1 << 20;
        PickleBytes pickle = PickleBytes.OneTensor("torch.FloatStorage", elements, 0, [elements], [0]);
        for (int i = 0; i < 16; i++)
        {
            pickle.Text($"{i}").Global("torch._utils", "_rebuild_tensor_v2").Op("(").Storage("torch.FloatStorage", "0", elements).Int(0)
                .Ints(elements).Ints(0).Op([0x89]).Global("collections", "OrderedDict").Op(")RtRs");
        }

        TestFiles.Refuses(pickle.Zip(new byte[elements * 4]), "expanded tensor [1048576] over 1 elements", "at most 16777216");
    }

    // PyTorch keeps the sign of torch._neg_view(x) and x.conj().imag beside the numbers.
    [Theory]
    [InlineData("_rebuild_tensor_v2", false)]
    [InlineData("_rebuild_tensor_v3", true)]
    public void NegatedTensorsAreRefused(string constructor, bool typed)
    {
        byte[] Tensor(byte negated)
        {
            PickleBytes pickle = new PickleBytes().Op("}").Text("x").Global("torch._utils", constructor).Op("(").Storage("torch.FloatStorage", "0", 4)
                .Int(0).Ints(4).Ints(1).Op([0x89]).Global("collections", "OrderedDict").Op(")R");
            pickle = typed ? pickle.Global("torch", "float32") : pickle;
            return pickle.Op("}").Text("neg").Op([negated]).Op("stRs").Zip(new byte[16]);
        }

        TestFiles.Refuses(Tensor(0x88), "negates or conjugates");
        TensorArchive.Open(Tensor(0x89), "f").Dispose();
    }

    // Their numbers may mean something else than they say.
    [Fact]
    public void WhatItsClassGivesAMeaningIsRefusedByName()
    {
        PickleBytes subclass = new PickleBytes().Global("torch._tensor", "_rebuild_from_type_v2").Op("(").Global("torch._utils", "_rebuild_tensor_v2")
            .Global("my.model", "Packed").Op(")}tR");
        TestFiles.Refuses(subclass.Zip(), "'my.model.Packed'");
        TestFiles.Refuses(
            new PickleBytes().Op("(").Text("storage").Global("torch", "ComplexFloatStorage").Text("0").Text("cpu").Int(1).Op("tQ").Zip(),
            "storage of type 'torch.ComplexFloatStorage'");
    }

    [Fact]
    public void WhatIsNotDataIsRefused()
    {
        TestFiles.Refuses(new PickleBytes().Text("os.system").Op(")R").Zip(), "allow-list");
        TestFiles.Refuses(new PickleBytes().Global("torch", "FloatStorage").Op(")R").Zip(), "arguments");
        TestFiles.Refuses(new PickleBytes().Global("torch", "FloatStorage").Op([(byte)')', 0x81]).Zip(), "instance");
        TestFiles.Refuses(new PickleBytes().Text("x").Op("}b").Zip(), "state");
        PickleBytes module = new PickleBytes().Op("(").Text("module").Global("torch", "FloatStorage").Text("a").Text("b").Int(1).Op("tQ");
        TestFiles.Refuses(module.Zip(), "persistent id");
        TestFiles.Refuses(new PickleBytes().Op("ios\nsystem\n").Zip(), "0x69");
        TestFiles.Refuses(new PickleBytes().Op([0x82, 1]).Zip(), "0x82");
        TestFiles.Refuses(new PickleBytes().Op("}").Zip(), "found none");
        TestFiles.Refuses(new PickleBytes().Op("]").Zip(), "found none");
    }

    [Fact]
    public void DamagedPicklesAreRefused()
    {
        TestFiles.Refuses(new PickleBytes().Op("0").Zip(), "missing");
        TestFiles.Refuses(new PickleBytes().Op("t").Zip(), "mark");
        TestFiles.Refuses(new PickleBytes().Op("N(0").Zip(), "missing");
        TestFiles.Refuses(new PickleBytes().Op("NN").Zip(), "left over");
        TestFiles.Refuses(new PickleBytes().Op("h", 7).Zip(), "memo entry 7");
        TestFiles.Refuses(new PickleBytes().Op("}Ns").Zip(), "missing");
        TestFiles.Refuses(new PickleBytes().Op("N").Text("x").Op("a").Zip(), "not a list");
        TestFiles.Refuses(new PickleBytes().Op("X", 0xFF, 0xFF, 0xFF, 0xFF).Zip(), "string of 4294967295 bytes");
        TestFiles.Refuses(new PickleBytes().Op("X", 1, 0, 0, 0, 0xFF).Zip(), "UTF-8");
        TestFiles.Refuses(new PickleBytes().Op(0x8B, 0xFF, 0xFF, 0xFF, 0x7F).Zip(), "integer of 2147483647 bytes");
        TestFiles.Refuses(PickleBytes.ZipOf([0x80, 9, (byte)'.'], CompressionLevel.NoCompression), "protocol 2 to 5");
        TestFiles.Refuses(PickleBytes.ZipOf([0x80, 2, (byte)'}'], CompressionLevel.NoCompression), "truncated");
    }

    [Fact]
    public void DepthAndLoopsAreBounded()
    {
        var deep = new PickleBytes();
        for (int i = 0; i < 100_000; i++)
        {
            deep.Op("}").Text("a");
        }

        deep.Op("}").Op([.. Enumerable.Repeat((byte)'s', 100_000)]);
        TestFiles.Refuses(deep.Zip(), "nested");

        // A dict that holds itself, and forty doublings of one dict: 2^40 values in 600 bytes.
        TestFiles.Refuses(new PickleBytes().Op("}").Op("q", 0).Text("a").Op("h", 0).Op("s").Zip(), "nested");
        var doubling = new PickleBytes().Op("}").Op("q", 0);
        for (byte i = 0; i < 40; i++)
        {
            doubling.Op("}").Text("a").Op("h", i).Op("s").Text("b").Op("h", i).Op("s").Op("q", (byte)(i + 1));
        }

        // The values below the last one are popped so that one remains.
        doubling.Op("q", 200).Op([.. Enumerable.Repeat((byte)'0', 41)]).Op("h", 200);
        TestFiles.Refuses(doubling.Zip(), "more than 1000000 values");
    }

    // Its 2000 attributes are looked through for each of 2000 references: a million for a megabyte would be hours.
    [Fact]
    public void AttributesAreCountedForEveryReference()
    {
        PickleBytes pickle = new PickleBytes().Global("a", "B").Op([(byte)')', 0x81, (byte)'}', (byte)'(']);
        pickle.Op([.. Enumerable.Repeat((byte)'N', 4000)]).Op("ub").Op("q", 0).Op("0}(");
        for (int i = 0; i < 2000; i++)
        {
            pickle.Text("a").Op("h", 0);
        }

        TestFiles.Refuses(pickle.Op("u").Zip(), "more than 1000000 values");
    }

    [Fact]
    public void OperationsMemoAndCopiesAreBounded()
    {
        TestFiles.Refuses(new PickleBytes().Op([.. Enumerable.Repeat((byte)'N', 4_000_001)]).Zip(), "operations");

        var memo = new PickleBytes().Op("N");
        for (int i = 0; i <= 1_000_000; i++)
        {
            memo.Op([(byte)'r', .. BitConverter.GetBytes(i)]);
        }

        TestFiles.Refuses(memo.Zip(), "memo");

        // One list of 100000 pairs, made into an OrderedDict a thousand times.
        var copies = new PickleBytes().Global("collections", "OrderedDict").Op("q", 0).Op("](");
        copies.Op([.. Enumerable.Repeat((byte[])[(byte)'N', (byte)'N', 0x86], 100_000).SelectMany(b => b)]).Op([(byte)'e', 0x85]).Op("q", 1);
        for (int i = 0; i < 1000; i++)
        {
            copies.Op("h", 0).Op("h", 1).Op("R0");
        }

        TestFiles.Refuses(copies.Zip(), "pairs");
    }

    [Fact]
    public void ArchivesThatLieAreRefused()
    {
        PickleBytes good = PickleBytes.OneTensor("torch.FloatStorage", 4, 0, [4], [1]);
        TestFiles.Refuses(good.Zip(), "no entry 'a/data/0'");
        TestFiles.Refuses(good.Zip(new byte[15]), "15 bytes");
        TestFiles.Refuses(good.Zip(new byte[16])[..^30], "truncated");
        TestFiles.Refuses(good.Zip(new byte[16])[..60], "truncated");

        byte[] bomb = PickleBytes.ZipOf(
            PickleBytes.OneTensor("torch.FloatStorage", 2_500_000, 0, [2_500_000], [1]).Done(), CompressionLevel.SmallestSize, new byte[10_000_000]);
        Assert.True(bomb.Length < 100_000);
        TestFiles.Refuses(bomb, "compressed");

        using var memory = new MemoryStream();
        using (var zip = new ZipArchive(memory, ZipArchiveMode.Create, leaveOpen: true))
        {
            PickleBytes.Entry(zip, "../../data.pkl", [1], CompressionLevel.NoCompression);
        }

        TestFiles.Refuses(memory.ToArray(), "one data.pkl, found none");
    }

    [Fact]
    public void TheOlderFormatIsCheckedToo()
    {
        byte[] good = File.ReadAllBytes(TestFiles.Data("checkpoints", "legacy.pt"));
        TestFiles.Refuses(good[..^1], "truncated");
        TestFiles.Refuses(good[..20], "truncated");

        TestFiles.Refuses([.. good[..15], 0x80, 2, (byte)'K', 7, (byte)'.'], "format 1001");
    }
}
