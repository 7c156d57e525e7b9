using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Inference;

/// <summary>Lists of class names that somebody asks for.</summary>
internal static class ClassNames
{
    private const int Most = 255;

    /// <summary>Refuses lists that a label PNG cannot hold (8 bits, and 255 is the background) or that name a class twice.</summary>
    /// <param name="source">What they are called in messages.</param>
    /// <param name="names">The names.</param>
    /// <param name="text">Where they stood.</param>
    /// <returns>The names.</returns>
    /// <exception cref="InputException">There is none, there are more than 255, or one occurs twice.</exception>
    public static string[] Check(string source, string[] names, string text)
    {
        if (names.Length == 0)
        {
            throw new InputException($"{source}: expected class names separated by commas, found {ConfigText.Quote(text)}.");
        }

        if (names.Length > Most)
        {
            throw new InputException($"{source}: expected at most {Most} class names, found {names.Length}.");
        }

        // The tokenizer does not tell upper from lower case.
        string? twice = names.GroupBy(name => name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1)?.Key;
        return twice is null ? names : throw new InputException($"{source}: expected each class name once, found {ConfigText.Quote(twice)} twice.");
    }
}
