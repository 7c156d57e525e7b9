using Ldvc.Tensors;

namespace Ldvc.Imaging;

/// <summary>Several pictures of a batch that cannot be read, in one sentence: whoever mends a batch wants to hear of all at once.</summary>
internal static class PictureFailures
{
    private const int Named = 10;

    /// <summary>Reads all pictures for what is wrong with them.</summary>
    /// <param name="files">The files.</param>
    /// <param name="read">Reads one.</param>
    /// <param name="cancellation">Checked before each.</param>
    /// <exception cref="InputException">Some cannot be read; the message names them.</exception>
    internal static void RefuseBad(IEnumerable<string> files, Func<string, RgbImage> read, CancellationToken cancellation)
    {
        var failures = new List<InputException>();
        foreach (string file in files)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                read(file);
            }
            catch (InputException e)
            {
                failures.Add(e);
            }
        }

        if (failures.Count > 0)
        {
            throw Together(failures);
        }
    }

    /// <summary>One exception of several.</summary>
    /// <param name="failures">At least one.</param>
    internal static InputException Together(IReadOnlyList<InputException> failures)
    {
        if (failures.Count == 1)
        {
            return failures[0];
        }

        string named = string.Join("; ", failures.Take(Named).Select(failure => failure.Message.TrimEnd('.')));
        string more = failures.Count > Named ? $"; and {failures.Count - Named} more" : "";
        return new InputException($"{failures.Count} pictures cannot be read: {named}{more}.", failures[0]);
    }
}
