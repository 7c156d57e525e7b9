using System.Text;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Xunit;

namespace Ldvc.Tests.Serialization;

public class SafetensorsReaderTests
{
    [Fact]
    public void HuggingFaceFileOpens()
    {
        using TensorArchive archive = TensorArchive.Open(TestFiles.Data("clip-tiny", "hf", "model.safetensors"));
        Assert.Equal("pt", archive.Metadata["format"]);
        Assert.Equal([128, 3, 16, 16], archive.Entries["vision_model.embeddings.patch_embedding.weight"].Shape);
        Assert.Empty(archive.Entries["logit_scale"].Shape);
        Assert.InRange(archive.ReadFloat32("logit_scale")[0], 2.0f, 5.0f);
    }

    [Fact]
    public void SmallWellFormedFileOpens()
    {
        const string Header = """{"b":{"dtype":"I16","shape":[2],"data_offsets":[0,4]},"a":{"dtype":"BOOL","shape":[],"data_offsets":[4,5]}}  """;
        byte[] file = TestFiles.Safetensors(Header, 5);
        file[^5] = 0xFE;
        file[^4] = 0xFF;
        file[^1] = 1;
        using TensorArchive archive = TensorArchive.Open(file, "x");
        Assert.Equal([-2, 0], archive.ReadInt32("b"));
        Assert.Equal([1f], archive.ReadFloat32("a"));
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "needs 8 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 3, "within the file's 3")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 5, "cover 4 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "begin and an end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""", 4, "begin and an end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "hole")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "overlaps")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", 6, "overlaps")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "twice")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "'dtype' twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}""", 4, "'shape' twice")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", 0, "twice")]
    [InlineData("""{"__metadata__":{"k":"v","k":"w"}}""", 0, "'k' twice")]
    [InlineData("""{"__metadata__":{"k":1}}""", 0, "expected String")]
    [InlineData("""{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}""", 4, "'F8_E4M3'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "'shape'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "'shape'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "impossible shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "impossible shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}""", 0, "impossible shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,0]}}""", 0, "'shape'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1]}}""", 4, "needs 'dtype'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}""", 4, "'more'")]
    [InlineData("""{"a":[1]}""", 4, "expected StartObject")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} {}""", 4, "JSON")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}""", 4, "JSON")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1,],"data_offsets":[0,4]}}""", 4, "JSON")]
    [InlineData("""{"a":{"dtype":"F32","shape":[[[[[[1]]]]]],"data_offsets":[0,4]}}""", 4, "'shape'")]
    public void LyingHeadersAreRefused(string json, int dataBytes, string word) => TestFiles.Refuses(TestFiles.Safetensors(json, dataBytes), word);

    [Fact]
    public void HeaderLengthIsBounded()
    {
        byte[] file = TestFiles.Safetensors("{}", 0);
        TestFiles.Refuses([.. BitConverter.GetBytes(3L), .. file[8..]], "claims 3 bytes");
        TestFiles.Refuses([.. BitConverter.GetBytes(-1L), .. file[8..]], "claims");
        TestFiles.Refuses([.. BitConverter.GetBytes(100_000_001L), .. file[8..]], "claims 100000001 bytes");
        TestFiles.Refuses(TestFiles.Safetensors([.. "{\""u8, 0xFF, .. "\":1}"u8], 0), "JSON");
    }

    [Fact]
    public void OtherFilesAreNamedForWhatTheyAre()
    {
        TestFiles.Refuses([], "empty");
        TestFiles.Refuses([1, 2, 3], "another kind");
        TestFiles.Refuses(Encoding.ASCII.GetBytes("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"), "Git LFS");
        Assert.Contains("no such file", Assert.Throws<InputException>(() => TensorArchive.Open("/nowhere/x.safetensors")).Message);
        Assert.Contains("folder", Assert.Throws<InputException>(() => TensorArchive.Open(Path.GetTempPath())).Message);
    }
}
