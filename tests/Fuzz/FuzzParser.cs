namespace Ldvc.Fuzz;

/// <summary>Something that reads what strangers may have written.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="FileName">What its file is called in its folder; may matter.</param>
/// <param name="Seeds">Files that it accepts.</param>
/// <param name="Structure">Damage that keeps the container whole, or that knows words and lines.</param>
/// <param name="Parse">Reads a file as the program does; refuses it with an InputException.</param>
/// <param name="Prepare">Puts into the folder what has to lie beside the file.</param>
internal sealed record FuzzParser(
    string Name, string FileName, byte[][] Seeds, FuzzContainers.Mutation Structure, Action<FuzzInput> Parse, Action<string>? Prepare = null)
{
    /// <summary>Changes that leave the file well formed; damage alone is mostly refused before the parser has understood anything.</summary>
    internal FuzzContainers.Mutation Care { get; init; } = FuzzCare.Letters;

    /// <summary>Managed bytes that one input may take: these, and <see cref="BytesPerByte"/> for each of its own.</summary>
    internal long FreeBytes { get; init; } = 16 << 20;

    /// <summary>See <see cref="FreeBytes"/>.</summary>
    internal long BytesPerByte { get; init; } = 128;
}

/// <summary>One input: its bytes, and a file of them where a parser wants one.</summary>
internal sealed class FuzzInput(byte[] bytes, string folder, string name)
{
    /// <summary>The bytes.</summary>
    internal byte[] Bytes => bytes;

    /// <summary>The folder.</summary>
    internal string Folder => folder;

    /// <summary>The file, written when it is first asked for.</summary>
    internal string File
    {
        get
        {
            string path = Path.Combine(folder, name);
            if (!Written)
            {
                System.IO.File.WriteAllBytes(path, bytes);
                Written = true;
            }

            return path;
        }
    }

    private bool Written { get; set; }
}
