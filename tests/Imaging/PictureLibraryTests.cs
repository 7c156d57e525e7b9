using System.Reflection;
using System.Reflection.Emit;
using Ldvc.Imaging.Writing;
using Xunit;

namespace Ldvc.Tests.Imaging;

/// <summary>
/// ImageSharp writes pictures and never reads one: flaws with crafted files have been reported for its decoders, so no stranger's bytes may reach
/// them. Read off the compiled assemblies: what a method calls, and what it, its locals, fields and signatures name.
/// </summary>
public sealed class PictureLibraryTests
{
    private const string Library = "SixLabors.";
    private const string Folder = "Ldvc.Imaging.Writing";

    private const BindingFlags Own =
        BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!).ToDictionary(c => c.Value);

    [Fact]
    public void OnlyTheFolderOfWritersUsesIt()
    {
        string[] users =
        [
            .. from assembly in Assemblies()
               where assembly.GetReferencedAssemblies().Any(r => r.Name!.StartsWith(Library, StringComparison.Ordinal))
               from type in assembly.GetTypes()
               where Mentions(type).Any(IsOfLibrary)
               select type.Namespace,
        ];
        Assert.Equal([Folder], users.Distinct());
        Assert.Contains(Mentions(typeof(ImageWriter)), IsOfLibrary);
    }

    [Fact]
    public void NothingOfItThatReadsAFileIsUsed()
    {
        MemberInfo[] used = [.. typeof(ImageWriter).Assembly.GetTypes().Where(t => t.Namespace == Folder).SelectMany(Mentions).Where(IsOfLibrary)
            .Distinct()];
        Assert.Contains(used, m => m.Name == "WrapMemory");
        Assert.Empty(used.Where(Reads).Select(m => $"{m.DeclaringType}.{m.Name}"));

        // The writers' configuration knows no format; the default one, which has all decoders, is not asked for.
        Assert.DoesNotContain(used, m => m.DeclaringType?.Name == "Configuration" && m.Name == "get_Default");
    }

    /// <summary>The test above would see a decoder: it finds one in this assembly's own method.</summary>
    [Fact]
    public void AReaderWouldBeSeen() =>
        Assert.Contains(Mentions(typeof(PictureLibraryTests)), m => IsOfLibrary(m) && Reads(m) && m.Name == "Identify");

    // Never called.
    private static object Forbidden(string path) => SixLabors.ImageSharp.Image.Identify(path);

    private static bool Reads(MemberInfo member) =>
        member.Name is "Load" or "LoadAsync" or "Identify" or "IdentifyAsync" or "DetectFormat" or "DetectFormatAsync" or "Decode" or "DecodeAsync"
        || (member as Type ?? member.DeclaringType)!.Name.Contains("Decoder", StringComparison.Ordinal);

    private static bool IsOfLibrary(MemberInfo member) => member.Module.Assembly.GetName().Name!.StartsWith(Library, StringComparison.Ordinal);

    private static IEnumerable<Assembly> Assemblies()
    {
        string[] files = Directory.GetFiles(AppContext.BaseDirectory, "*.dll");
        return files.Select(Path.GetFileNameWithoutExtension)
            .Where(
                name => name!.StartsWith("ldvc", StringComparison.OrdinalIgnoreCase) && name != typeof(PictureLibraryTests).Assembly.GetName().Name)
            .Select(name => Assembly.Load(name!));
    }

    private static IEnumerable<MemberInfo> Mentions(Type type)
    {
        IEnumerable<Type> named =
        [
            .. type.GetInterfaces(),
            .. type.BaseType is { } parent ? [parent] : Type.EmptyTypes,
            .. type.GetFields(Own).Select(f => f.FieldType),
        ];
        IEnumerable<MethodBase> methods = [.. type.GetMethods(Own), .. type.GetConstructors(Own)];
        return named.SelectMany(Parts).Concat(methods.SelectMany(Mentions));
    }

    private static IEnumerable<MemberInfo> Mentions(MethodBase method)
    {
        IEnumerable<Type> signature = method.GetParameters().Select(p => p.ParameterType);
        if (method is MethodInfo { ReturnType: var result })
        {
            signature = signature.Append(result);
        }

        MethodBody? body = method.GetMethodBody();
        return body is null
            ? signature.SelectMany(Parts)
            : signature.Concat(body.LocalVariables.Select(l => l.LocalType)).SelectMany(Parts).Concat(
                Called(method, body.GetILAsByteArray()!).SelectMany(Parts));
    }

    private static IEnumerable<MemberInfo> Called(MethodBase method, byte[] code)
    {
        Type[]? ofType = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
        Type[]? ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (int at = 0; at < code.Length;)
        {
            short value = code[at] == 0xFE ? (short)((0xFE << 8) | code[at + 1]) : code[at];
            OpCode operation = Codes[value];
            at += operation.Size;
            switch (operation.OperandType)
            {
                case OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok:
                    yield return method.Module.ResolveMember(BitConverter.ToInt32(code, at), ofType, ofMethod)!;
                    at += 4;
                    break;
                case OperandType.InlineSwitch:
                    at += 4 + (4 * BitConverter.ToInt32(code, at));
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    at += 8;
                    break;
                case OperandType.InlineNone:
                    break;
                case OperandType.InlineVar:
                    at += 2;
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    at += 1;
                    break;
                default:
                    at += 4;
                    break;
            }
        }
    }

    // A member, the type it belongs to, and the types that these are made of.
    private static IEnumerable<MemberInfo> Parts(MemberInfo member)
    {
        if (member is not Type type)
        {
            yield return member;
            foreach (MemberInfo part in (member is MethodInfo { IsGenericMethod: true } m ? m.GetGenericArguments() : []).SelectMany(Parts))
            {
                yield return part;
            }

            type = member.DeclaringType!;
        }

        while (type.HasElementType)
        {
            type = type.GetElementType()!;
        }

        if (type.IsGenericParameter)
        {
            yield break;
        }

        yield return type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        foreach (MemberInfo part in type.GetGenericArguments().Where(a => a != type).SelectMany(Parts))
        {
            yield return part;
        }
    }
}
