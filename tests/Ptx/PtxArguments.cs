using System.Reflection;
using ILGPU;

namespace Ldvc.Ptx;

/// <summary>A kernel's argument, which is a struct of views, numbers and other such structs, as names and values.</summary>
internal static class PtxArguments
{
    /// <summary>"M" -> 1025, "A" -> "float[787200]", "Q.RowStride" -> 2304.</summary>
    internal static Dictionary<string, object> Of(object arguments)
    {
        var found = new Dictionary<string, object>();
        Add(found, string.Empty, arguments);
        return found;
    }

    private static void Add(Dictionary<string, object> found, string prefix, object value)
    {
        foreach (var field in value.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            // Properties' fields are called <Name>k__BackingField.
            string name = prefix + field.Name.TrimStart('<').Split('>')[0];
            object part = field.GetValue(value)!;
            var type = field.FieldType;
            if (type.IsPrimitive || type.IsEnum)
            {
                found[name] = type.IsEnum ? Convert.ToInt64(part) : part;
            }
            else if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ArrayView<>))
            {
                found[name] = $"{Word(type.GetGenericArguments()[0])}[{type.GetProperty("Length")!.GetValue(part)}]";
            }
            else
            {
                Add(found, name + ".", part);
            }
        }
    }

    private static string Word(Type type) =>
        type == typeof(float) ? "float" : type == typeof(int) ? "int" : type == typeof(byte) ? "byte" : type.Name;
}
