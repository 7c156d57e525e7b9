namespace Ldvc.Tensors;

public sealed partial class Tensor
{
    /// <summary>
    /// The values as text: element type, shape and device on the first line, then the rows in brackets with aligned columns. NaN and infinities show
    /// as nan, inf and -inf; a very wide range of values as powers of ten. Copies the values to the host, which waits for the device.
    /// </summary>
    /// <param name="digits">Digits after the point of floats.</param>
    /// <param name="maxElements">A tensor of more elements shows the first and last three along each long dimension, with ... between them.</param>
    public string ToValueString(int digits = 4, int maxElements = 1000)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(digits);
        ArgumentOutOfRangeException.ThrowIfNegative(maxElements);
        return $"{this}\n{new TensorText(this, digits, maxElements)}";
    }

    /// <summary>Writes <see cref="ToValueString"/> and a line's end to the console, or to another writer.</summary>
    public void Print(TextWriter? writer = null) => (writer ?? Console.Out).WriteLine(ToValueString());
}
