using System.Text.Json;
using Ldvc.Tensors.Serialization;
using Xunit;

namespace Ldvc.Tests.Serialization;

/// <summary>What mmcv keeps beside a state dict under "meta": read as data, or not at all.</summary>
public class TorchNotesTests
{
    [Fact]
    public void PlainNotesBecomeText()
    {
        IReadOnlyDictionary<string, string> notes = Notes(p => p
            .Text("text").Text("line\nline").Text("iter").Int(20000).Text("rate").Op(
                [(byte)'G', 0x3F, 0xE0, 0, 0, 0, 0, 0, 0]).Text("flag").Op([0x88]).Text("none").Op("N")
            .Text("names").Op("(").Text("cat").Text("blue \"sky\"").Op("t").Text("palette").Op("](](").Int(1).Int(2).Op("ee").Text("dict").Op("}(")
                .Text("a").Op("N").Int(3).Int(4).Op("u"));
        Assert.Equal("line\nline", notes["meta.text"]);
        Assert.Equal("20000", notes["meta.iter"]);
        Assert.Equal("0.5", notes["meta.rate"]);
        Assert.Equal("true", notes["meta.flag"]);
        Assert.Equal(["cat", "blue \"sky\""], JsonSerializer.Deserialize<string[]>(notes["meta.names"])!);
        Assert.Equal("[[1,2]]", notes["meta.palette"]);
        Assert.Equal("{\"a\":null,\"3\":4}", notes["meta.dict"]);
        Assert.Equal(7, notes.Count);
    }

    [Theory]
    [InlineData("f8", new byte[] { 0, 0, 0, 0, 0, 0, 0xE0, 0x3F }, "0.5")]
    [InlineData("<f4", new byte[] { 0, 0, 0x80, 0x3F }, "1")]
    [InlineData("f2", new byte[] { 0, 0x3C }, "1")]
    [InlineData("i8", new byte[] { 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF }, "-2")]
    [InlineData("u2", new byte[] { 0xFF, 0xFF }, "65535")]
    [InlineData("b1", new byte[] { 1 }, "true")]
    public void NumbersOfNumPyAreNumbers(string type, byte[] bytes, string expected)
    {
        Assert.Equal(expected, Notes(p => Scalar(p.Text("score"), type, "<", bytes))["meta.score"]);
        Assert.Equal(expected, Notes(p => Scalar(p.Text("score"), type, "<", bytes, "numpy._core.multiarray"))["meta.score"]);
    }

    [Fact]
    public void WhatIsNoNumberOfThisMachineIsLeftOut()
    {
        Assert.Empty(Notes(p => Scalar(p.Text("score"), "f8", ">", new byte[8])));
        Assert.Empty(Notes(p => Scalar(p.Text("score"), "f8", "<", new byte[7])));
        Assert.Empty(Notes(p => Scalar(p.Text("score"), "M8", "<", new byte[8])));
        Assert.Empty(
            Notes(p => p.Text("array").Global("numpy.core.multiarray", "_reconstruct").Op("(").Global("numpy", "ndarray").Ints(0).Text("b").Op("tR")
            .Op("(").Int(1).Ints(2).Op("N").Op([0x89]).Global("_codecs", "encode").Op("(").Text(new string('x', 5000)).Text("latin1").Op("tRtb")));
    }

    // Of 128 bits and a sign: uuid.uuid4(), the state of a generator. With protocol 5 arrays are made by another function.
    [Fact]
    public void LongIntegersAndArraysOfProtocol5AreReadOver()
    {
        Assert.Equal(["meta.epoch"], Notes(p => p.Text("uuid").Op([0x8A, 17, .. new byte[17]]).Text("epoch").Int(1)).Keys);
        Assert.Equal(["meta.epoch"], Notes(p => p.Text("array").Global("numpy.core.numeric", "_frombuffer").Op("(").Op([0x96, .. new byte[8]])
            .Global("numpy", "dtype").Op("(").Text("f8").Op([0x89, 0x88, (byte)'t', (byte)'R']).Ints(0).Text("C").Op("tR").Text("epoch")
            .Int(1)).Keys);
    }

    // How Python 3 writes b"" with protocol 2: in an array without elements, for example.
    [Theory]
    [InlineData("__builtin__")]
    [InlineData("builtins")]
    public void NoBytesAtAllAreBytes(string module)
    {
        Assert.Equal("1", Notes(p => p.Text("none").Global(module, "bytes").Op(")R").Text("epoch").Int(1))["meta.epoch"]);
        Assert.Empty(Notes(p => p.Text("array").Global("numpy.core.multiarray", "_reconstruct").Op("(").Global("numpy", "ndarray").Ints(0).Text("b")
            .Op("tR").Op("(").Int(1).Ints(0).Op("N").Op([0x89]).Global(module, "bytes").Op(")Rtb")));
        TestFiles.Refuses(new PickleBytes().Global(module, "bytes").Op("(").Int(1 << 30).Op("tR").Zip(), "NoBytes");
    }

    [Fact]
    public void NotesDoNotMultiply()
    {
        // Thirty lists, each holding the one before twice: a billion values by reference.
        Assert.DoesNotContain("meta.bomb", Notes(p =>
        {
            p.Text("bomb").Op("]").Op([(byte)'q', 0]);
            for (byte i = 1; i <= 30; i++)
            {
                p.Op([(byte)'0', (byte)']', (byte)'q', i, (byte)'(', (byte)'h', (byte)(i - 1), (byte)'h', (byte)(i - 1), (byte)'e']);
            }
        }).Keys);

        // A list that holds itself.
        Assert.Empty(Notes(p => p.Text("loop").Op("]").Op([(byte)'q', 0, (byte)'h', 0, (byte)'a'])));

        // One megabyte eight times over: what fits comes through.
        Assert.Equal(4, Notes(p =>
        {
            p.Text("m0").Text(new string('x', 1 << 20)).Op([(byte)'q', 0]);
            for (int i = 1; i < 8; i++)
            {
                p.Text($"m{i}").Op([(byte)'h', 0]);
            }
        }).Count);
    }

    [Fact]
    public void NumPysConstructorsTakeNothingElse()
    {
        TestFiles.Refuses(new PickleBytes().Global("numpy", "dtype").Op("(").Int(8).Op("tR").Zip(), "NumpyType");
        TestFiles.Refuses(new PickleBytes().Global("numpy", "ndarray").Op(")R").Zip(), "NumpyArrayClass");
        TestFiles.Refuses(new PickleBytes().Global("numpy.core.multiarray", "scalar").Op("(").Text("f8").Text("x").Op("tR").Zip(), "NumpyScalar");
        TestFiles.Refuses(new PickleBytes().Global("numpy.core.multiarray", "_reconstruct").Op("(").Global("torch", "FloatStorage").Ints(0).Text("b")
            .Op("tR").Zip(), "NumpyArray");
        TestFiles.Refuses(new PickleBytes().Global("_codecs", "encode").Op("(").Text("x").Text("rot13").Op("tR").Zip(), "Encode");
        TestFiles.Refuses(new PickleBytes().Global("_codecs", "decode").Op(")R").Zip(), "'_codecs.decode'");
        TestFiles.Refuses(new PickleBytes().Global("numpy", "load").Op(")R").Zip(), "'numpy.load'");
    }

    [Fact]
    public void NoNotesAreNoNotes()
    {
        using TensorArchive plain = TensorArchive.Open(PickleBytes.OneTensor("torch.FloatStorage", 1, 0, [1], [1]).Zip(new byte[4]), "x");
        Assert.Empty(plain.Metadata);
        using TensorArchive text = TensorArchive.Open(WithNotes(new PickleBytes().Op("}(").Text("meta").Text("nothing")).Zip(new byte[4]), "x");
        Assert.Empty(text.Metadata);
    }

    private static PickleBytes Scalar(PickleBytes p, string type, string order, byte[] bytes, string module = "numpy.core.multiarray")
    {
        // As protocol 2 writes it: the type made and then told its byte order, the bytes as a text.
        p.Global(module, "scalar").Op("(").Global("numpy", "dtype").Op("(").Text(type).Int(0).Int(1).Op("tR").Op("(").Int(3).Text(order).Op("NNN")
            .Int(-1).Int(-1).Int(0).Op("tb");
        return p.Global("_codecs", "encode").Op("(").Text(new string([.. bytes.Select(b => (char)b)])).Text("latin1").Op("tRtR");
    }

    private static IReadOnlyDictionary<string, string> Notes(Action<PickleBytes> write)
    {
        PickleBytes pickle = new PickleBytes().Op("}(").Text("meta").Op("}(");
        write(pickle);
        using TensorArchive archive = TensorArchive.Open(WithNotes(pickle.Op("u")).Zip(new byte[4]), "x");
        Assert.Equal("x", Assert.Single(archive.Entries.Keys));
        return archive.Metadata;
    }

    private static PickleBytes WithNotes(PickleBytes pickle) => pickle.Text("state_dict").Op("}").Text("x").Global(
        "torch._utils", "_rebuild_tensor_v2").Op("(")
        .Storage("torch.FloatStorage", "0", 1).Int(0).Ints(1).Ints(1).Op([0x89]).Global("collections", "OrderedDict").Op(")RtRsu");
}
