using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Xunit;

namespace Ldvc.Tests.Serialization;

public class TorchArchiveTests
{
    [Theory]
    [InlineData("zip.pt", "expected.safetensors")]
    [InlineData("zip-protocol4.pt", "expected.safetensors")]
    [InlineData("zip-wrapped.pt", "expected.safetensors")]
    [InlineData("legacy.pt", "expected.safetensors")]
    [InlineData("script.pt", "script-expected.safetensors")]
    [InlineData("notes.pt", "expected.safetensors")]
    [InlineData("notes-protocol4.pt", "expected.safetensors")]
    [InlineData("notes-legacy.pt", "expected.safetensors")]
    [InlineData("module.pt", "script-expected.safetensors")]
    [InlineData("module-wrapped.pt", "script-expected.safetensors")]
    [InlineData("module-legacy.pt", "script-expected.safetensors")]
    public void CheckpointsOfPyTorchHoldWhatPyTorchHeld(string file, string expected)
    {
        using TensorArchive archive = TensorArchive.Open(TestFiles.Data("checkpoints", file));
        using TensorArchive reference = TensorArchive.Open(TestFiles.Data("checkpoints", expected));
        Assert.Equal(reference.Entries.Keys.Order(), archive.Entries.Keys.Order());
        Assert.NotEmpty(reference.Entries);
        foreach (TensorEntry entry in reference.Entries.Values)
        {
            Assert.Equal(entry.Shape, archive.Entries[entry.Name].Shape);
            Assert.Equal(reference.ReadFloat32(entry.Name), archive.ReadFloat32(entry.Name));
        }
    }

    [Fact]
    public void ElementTypesAreThoseOfTheFile()
    {
        using TensorArchive archive = TensorArchive.Open(TestFiles.Data("checkpoints", "zip.pt"));
        (string Name, DType Type)[] expected =
        [
            ("plain.slice", DType.Float32), ("half", DType.Float16), ("brain", DType.BFloat16), ("double", DType.Float64), ("long", DType.Int64),
            ("int", DType.Int32), ("short", DType.Int16), ("char", DType.Int8), ("byte", DType.UInt8), ("bool", DType.Bool),
        ];
        Assert.All(expected, e => Assert.Equal(e.Type, archive.Entries[e.Name].DType));
        Assert.Equal([-3, -2, -1, 0, 1, 2, 3], archive.ReadInt32("long"));
    }

    [Theory]
    [InlineData("module.x", "x")]
    [InlineData("_orig_mod.x", "x")]
    [InlineData("module._orig_mod.x", "x")]
    [InlineData("_orig_mod.module.x", "x")]
    [InlineData("module.", "module.")]
    [InlineData("my.module.x", "my.module.x")]
    public void WhatTrainingPutsBeforeEveryNameIsDropped(string stored, string expected)
    {
        byte[] file = PickleBytes.OneTensor("torch.FloatStorage", 1, 0, [1], [1], stored).Zip(new byte[4]);
        using TensorArchive archive = TensorArchive.Open(file, "file");
        Assert.Equal([expected], archive.Entries.Keys);
    }

    [Theory]
    [InlineData(new long[] { 2, 3 }, new long[] { 0, 1 }, new float[] { 1, 2, 3, 1, 2, 3 })]
    [InlineData(new long[] { 3, 2 }, new long[] { 1, 0 }, new float[] { 1, 1, 2, 2, 3, 3 })]
    [InlineData(new long[] { 3, 3 }, new long[] { 1, 1 }, new float[] { 1, 2, 3, 2, 3, 4, 3, 4, 0 })]
    [InlineData(new long[] { 2, 0 }, new long[] { 0, 0 }, new float[0])]
    public void ExpandedAndOverlappingTensorsAreWrittenOut(long[] shape, long[] strides, float[] expected)
    {
        byte[] storage = [.. new float[] { 1, 2, 3, 4, 0 }.SelectMany(BitConverter.GetBytes)];
        byte[] file = PickleBytes.OneTensor("torch.FloatStorage", 5, 0, shape, strides).Zip(storage);
        using TensorArchive archive = TensorArchive.Open(file, "file");
        Assert.Equal(shape, archive.Entries["x"].Shape);
        Assert.Equal(expected, archive.ReadFloat32("x"));
    }

    // {'rng': tensor, 'state_dict': {'x': tensor}}: the state of a random generator, as training programs save it.
    [Theory]
    [InlineData("state_dict", "x")]
    [InlineData("model_state_dict", "x")]
    [InlineData("model", "model.x")]
    public void ATensorBesideTheStateDictIsNoPartOfIt(string wrapper, string expected)
    {
        PickleBytes inner = PickleBytes.OneTensor("torch.FloatStorage", 1, 0, [1], [1]);
        PickleBytes outer = PickleBytes.OneTensor("torch.FloatStorage", 1, 0, [1], [1], "rng").Text(wrapper).Op(inner.Done()[2..^1]).Op("s");
        byte[] file = outer.Zip(new byte[4]);
        using TensorArchive archive = TensorArchive.Open(file, "file");
        Assert.Contains(expected, archive.Entries.Keys);
        Assert.Equal(wrapper == "model", archive.Entries.ContainsKey("rng"));
    }

    // pickle_protocol=3, 4 and 5; from 4 on the number stands in a frame.
    [Theory]
    [InlineData(new byte[] { 0x80, 3 })]
    [InlineData(new byte[] { 0x80, 4, 0x95, 13, 0, 0, 0, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0x80, 5, 0x95, 13, 0, 0, 0, 0, 0, 0, 0 })]
    public void ThePlainFormatHasOtherProtocolsToo(byte[] start)
    {
        byte[] file = File.ReadAllBytes(TestFiles.Data("checkpoints", "legacy.pt"));
        using TensorArchive expected = TensorArchive.Open(file, "two"), archive = TensorArchive.Open((byte[])[.. start, .. file[2..]], "other");
        Assert.Equal(expected.Entries.Keys.Order(), archive.Entries.Keys.Order());
        string name = expected.Entries.Values.First(entry => entry.DType == DType.Float32).Name;
        Assert.Equal(expected.ReadFloat32(name), archive.ReadFloat32(name));
    }

    [Fact]
    public void NestedDictsGetDottedNames()
    {
        using TensorArchive archive = TensorArchive.Open(TestFiles.Data("checkpoints", "zip-nested.pt"));
        Assert.Equal(["plain.weight", "scalar"], archive.Entries.Keys.Order());
    }

    [Fact]
    public void OpenAiTorchScriptHoldsTheHuggingFaceWeightsRoundedToHalf()
    {
        using TensorArchive script = TensorArchive.Open(TestFiles.Data("clip-tiny", "openai-jit-fp16.pt"));
        using TensorArchive hugging = TensorArchive.Open(TestFiles.Data("clip-tiny", "hf", "model.safetensors"));
        (string OpenAi, string HuggingFace)[] same =
        [
            ("visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight"),
            ("visual.transformer.resblocks.1.mlp.c_proj.weight", "vision_model.encoder.layers.1.mlp.fc2.weight"),
            ("transformer.resblocks.0.mlp.c_fc.bias", "text_model.encoder.layers.0.mlp.fc1.bias"),
            ("transformer.resblocks.0.attn.out_proj.weight", "text_model.encoder.layers.0.self_attn.out_proj.weight"),
        ];
        foreach ((string openAi, string huggingFace) in same)
        {
            Assert.Equal(DType.Float16, script.Entries[openAi].DType);
            Assert.Equal(hugging.ReadFloat32(huggingFace).Select(x => (float)(Half)x), script.ReadFloat32(openAi));
        }

        Assert.Equal([384, 128], script.Entries["visual.transformer.resblocks.0.attn.in_proj_weight"].Shape);
        Assert.Equal([96], script.ReadInt32("input_resolution"));
    }

    // register_buffer(name, tensor, persistent=False): a set names them, which older protocols write as a call.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void BuffersThatAreInNoStateDictAreInNoModuleEither(bool older)
    {
        static PickleBytes Buffer(PickleBytes pickle, string name) => pickle.Text(name).Global("torch._utils", "_rebuild_tensor").Op("(")
            .Storage("torch.FloatStorage", "0", 1).Int(0).Ints(1).Ints(1).Op("tR");
        PickleBytes module = new PickleBytes().Global("my", "Model").Op([(byte)')', 0x81]).Op("}(").Text("_buffers").Op("}(");
        Buffer(Buffer(module, "kept"), "left_out").Op("u").Text("_non_persistent_buffers_set");
        module = older
            ? module.Global("__builtin__", "set").Op("](").Text("left_out").Op((byte)'e', 0x85, (byte)'R')
            : module.Op(0x8F, (byte)'(').Text("left_out").Op(0x90);
        using TensorArchive archive = TensorArchive.Open(module.Op("ub").Zip(new byte[4]), "f");
        Assert.Equal(["kept"], archive.Entries.Keys);
    }

    [Fact]
    public void UntypedStoragesWithAnElementTypeAreRead()
    {
        byte[] file = new PickleBytes().Op("}").Text("x").Global("torch._utils", "_rebuild_tensor_v3").Op("(")
            .Storage("torch.storage.UntypedStorage", "0", 8).Int(1).Ints(3).Ints(1).Op([0x89]).Op("}").Global("torch", "bfloat16").Op("tRs")
            .Zip([0, 0, 0x80, 0x3F, 0, 0x40, 0x80, 0xBF]);
        using TensorArchive archive = TensorArchive.Open(file, "x");
        Assert.Equal([1f, 2f, -1f], archive.ReadFloat32("x"));
    }
}
