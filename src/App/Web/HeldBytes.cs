using Microsoft.AspNetCore.Http;

namespace Ldvc.App.Web;

/// <summary>
/// Bytes of uploads and answers that requests hold together. They count as they arrive, not as they are announced: a slow upload costs what it has
/// sent.
/// </summary>
/// <param name="max">How many may be held.</param>
internal sealed class HeldBytes(long max)
{
    private long _held;

    /// <summary>Bytes that are held now.</summary>
    internal long Now => Interlocked.Read(ref _held);

    /// <summary>Takes more for an upload.</summary>
    /// <exception cref="RequestException">There is no room.</exception>
    internal void Take(long bytes)
    {
        if (Interlocked.Add(ref _held, bytes) > max)
        {
            Give(bytes);
            throw Full();
        }
    }

    /// <summary>Refuses to begin an answer while there is no room for one.</summary>
    /// <exception cref="RequestException">There is no room.</exception>
    internal void CheckRoom()
    {
        if (Now > max)
        {
            throw Full();
        }
    }

    /// <summary>Takes what an answer needs: it has been computed, so that it is sent in any case.</summary>
    internal void Force(long bytes) => Interlocked.Add(ref _held, bytes);

    /// <summary>Gives back.</summary>
    internal void Give(long bytes) => Interlocked.Add(ref _held, -bytes);

    private static RequestException Full() =>
        new(StatusCodes.Status503ServiceUnavailable, RejectReasons.Memory, "too many large requests at once; try again.") { RetryAfter = 1 };
}
