using System.Net;

namespace Ldvc.App.Web;

/// <summary>What `ldvc serve` is told about its server.</summary>
/// <param name="Address">Where to listen. If that is this machine alone, requests under any other name are refused.</param>
/// <param name="Port">Where to listen; 0 = any free port.</param>
internal sealed record ServerSettings(IPAddress Address, int Port)
{
    /// <summary>What it grants at most.</summary>
    internal ServerLimits Limits { get; init; } = new();

    /// <summary>What requests have to know; null = nothing.</summary>
    internal AccessToken? Token { get; init; }

    /// <summary>Whether the log names pictures and what is in them.</summary>
    internal bool LogNames { get; init; }
}
