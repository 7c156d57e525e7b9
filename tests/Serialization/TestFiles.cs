using System.Text;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Xunit;

namespace Ldvc.Tests.Serialization;

/// <summary>Paths of fixtures, temporary folders, and files built byte by byte.</summary>
internal static class TestFiles
{
    public static string Data(params string[] parts) => Path.Combine([AppContext.BaseDirectory, "data", .. parts]);

    public static byte[] Safetensors(string json, int dataBytes) => Safetensors(Encoding.UTF8.GetBytes(json), dataBytes);

    public static byte[] Safetensors(byte[] json, int dataBytes) => [.. BitConverter.GetBytes((long)json.Length), .. json, .. new byte[dataBytes]];

    /// <summary>Opening these bytes must fail with one line that names the file and contains the given words.</summary>
    public static void Refuses(byte[] content, params string[] words)
    {
        InputException error = Assert.Throws<InputException>(() => TensorArchive.Open(content, "some.file").Dispose());
        Assert.StartsWith("some.file: ", error.Message);
        Assert.DoesNotContain('\n', error.Message);
        Assert.True(error.Message.Length < 500, error.Message);
        foreach (string word in words)
        {
            Assert.Contains(word, error.Message);
        }
    }
}

/// <summary>A folder that goes away with the test.</summary>
internal sealed class TempFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("ldvc-test-").FullName;

    public string Root => _path;

    public string File(string name) => Path.Combine(_path, name);

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
