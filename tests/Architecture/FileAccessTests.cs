using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Xunit;

namespace Ldvc.Tests.Architecture;

/// <summary>
/// Files are opened in one place for reading, where devices and endless files are refused, and in one for writing, where every step can be made to
/// fail. Read from the compiled assemblies.
/// </summary>
public sealed class FileAccessTests
{
    // The last two read what the system says about processor and memory.
    private static readonly string[] Places =
    [
        "Ldvc.Tensors.Serialization.PlainFile", "Ldvc.Tensors.Serialization.OutputFile", "Ldvc.Tensors.Distributed.Launch.CpuShare",
        "Ldvc.Tensors.MachineMemory",
    ];

    private static readonly string[] Opening = ["Open", "Read", "Write", "Append", "Create", "Copy", "Move", "Replace"];

    public static TheoryData<string> Layers => [.. ArrowRules.Layers];

    [Theory]
    [MemberData(nameof(Layers))]
    public void FilesAreOpenedInTwoPlaces(string layer) =>
        Assert.Empty(Uses(Path.Combine(AppContext.BaseDirectory, layer + ".dll")).Where(use => !Places.Contains(use.Type)).Distinct());

    [Fact]
    public void OpeningIsSeen()
    {
        string[] members = [.. Uses(Path.Combine(AppContext.BaseDirectory, "Ldvc.Tensor.dll")).Select(use => use.Member).Distinct()
            .Order(StringComparer.Ordinal)];
        Assert.Superset(new HashSet<string> { "Directory.Move", "File.Move", "File.OpenHandle", "FileStream..ctor" }, members.ToHashSet());
        Assert.Contains(Uses(typeof(FileAccessTests).Assembly.Location), use => use.Member == "File.ReadAllText");
    }

    private static IEnumerable<(string Type, string Member)> Uses(string path)
    {
        using var file = new PEReader(File.OpenRead(path));
        MetadataReader metadata = file.GetMetadataReader();
        foreach (MethodDefinition method in metadata.MethodDefinitions.Select(metadata.GetMethodDefinition)
            .Where(method => method.RelativeVirtualAddress != 0))
        {
            foreach (EntityHandle token in IlTokens.Of(file.GetMethodBody(method.RelativeVirtualAddress).GetILBytes()!)
                .Where(token => token.Kind == HandleKind.MemberReference))
            {
                MemberReference member = metadata.GetMemberReference((MemberReferenceHandle)token);
                if (member.Parent.Kind == HandleKind.TypeReference && IsOpening(metadata, member))
                {
                    string type = metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)member.Parent).Name);
                    yield return (Outermost(metadata, method.GetDeclaringType()), $"{type}.{metadata.GetString(member.Name)}");
                }
            }
        }
    }

    // File and Directory by the beginning of the method's name; streams and readers where they are made from a path.
    private static bool IsOpening(MetadataReader metadata, MemberReference member)
    {
        TypeReference type = metadata.GetTypeReference((TypeReferenceHandle)member.Parent);
        string name = metadata.GetString(member.Name);
        if (metadata.GetString(type.Namespace) != "System.IO")
        {
            return false;
        }

        const byte text = 0x0E;
        bool takesPath = metadata.GetBlobReader(member.Signature) is var signature && signature.Length > 3
            && metadata.GetBlobBytes(member.Signature)[3] == text;
        return metadata.GetString(type.Name) switch
        {
            "File" => Array.Exists(Opening, start => name.StartsWith(start, StringComparison.Ordinal)),
            "Directory" => name == "Move",
            "FileStream" or "StreamReader" or "StreamWriter" => name == ".ctor" && takesPath,
            "FileInfo" or "DirectoryInfo" => Array.Exists(Opening, start => name.StartsWith(start, StringComparison.Ordinal)),
            _ => false,
        };
    }

    private static string Outermost(MetadataReader metadata, TypeDefinitionHandle handle)
    {
        TypeDefinition type = metadata.GetTypeDefinition(handle);
        while (type.IsNested)
        {
            type = metadata.GetTypeDefinition(type.GetDeclaringType());
        }

        return $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}";
    }
}
