using System.Security.Cryptography;
using System.Text;
using Ldvc.Tensors;
using Microsoft.AspNetCore.Http;

namespace Ldvc.App.Web;

/// <summary>A word that requests have to know: "Authorization: Bearer WORD".</summary>
internal sealed class AccessToken
{
    /// <summary>The environment variable: unlike an option, it stands in no list of processes.</summary>
    internal const string Variable = "LDVC_TOKEN";

    private const string Scheme = "Bearer ";
    private readonly byte[] _digest;

    private AccessToken(string token) => _digest = Digest(token);

    /// <summary>The token of the option, or else of the environment; null = none is asked for.</summary>
    /// <param name="option">Name of the option.</param>
    /// <param name="given">Its value; null = not given.</param>
    /// <param name="variable">Value of the variable; null = not set.</param>
    /// <exception cref="InputException">It is empty, or cannot stand in a header. An empty variable is no open door.</exception>
    internal static AccessToken? Read(string option, string? given, string? variable)
    {
        if ((given ?? variable) is not { } token)
        {
            return null;
        }

        bool sendable = token.Length > 0 && token.All(c => c is > ' ' and <= '~');
        return sendable ? new AccessToken(token) : throw new InputException(
            $"{(given is null ? Variable : option)}: expected a token of letters, digits and signs (ASCII, no blanks), found "
                + $"{(token.Length == 0 ? "nothing" : "something else")}.");
    }

    /// <summary>Whether a request knows the token. Takes the same time for every wrong one: digests are compared, whole.</summary>
    internal bool Knows(HttpRequest request)
    {
        string sent = request.Headers.Authorization.ToString();
        string token = sent.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? sent[Scheme.Length..].Trim() : "";
        return CryptographicOperations.FixedTimeEquals(Digest(token), _digest);
    }

    private static byte[] Digest(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
