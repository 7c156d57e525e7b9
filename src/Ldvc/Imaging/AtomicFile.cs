namespace Ldvc.Imaging;

/// <summary>
/// Whole files from memory, by way of <see cref="Tensors.Serialization.AtomicFile"/>: the old content or the new one, never a part.
/// </summary>
internal static class AtomicFile
{
    /// <summary>Writes <paramref name="content"/> to <paramref name="path"/>.</summary>
    /// <exception cref="Tensors.InputException">The folder is missing or cannot be written to.</exception>
    public static void WriteAllBytes(string path, byte[] content) => Tensors.Serialization.AtomicFile.Write(path, stream => stream.Write(content));
}
