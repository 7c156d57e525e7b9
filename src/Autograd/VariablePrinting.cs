using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>Variables as text.</summary>
public static class VariablePrinting
{
    /// <summary>The value as text, as <see cref="Tensor.ToValueString"/> gives it.</summary>
    public static string ToValueString(this Variable variable, int digits = 4, int maxElements = 1000)
    {
        ArgumentNullException.ThrowIfNull(variable);
        return variable.Value.ToValueString(digits, maxElements);
    }

    /// <summary>Writes the value as text and a line's end to the console, or to another writer.</summary>
    public static void Print(this Variable variable, TextWriter? writer = null)
    {
        ArgumentNullException.ThrowIfNull(variable);
        variable.Value.Print(writer);
    }
}
