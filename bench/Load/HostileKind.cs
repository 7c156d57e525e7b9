namespace Ldvc.Bench.Load;

/// <summary>A kind of hostile request.</summary>
/// <param name="Name">What it is called in the table.</param>
/// <param name="Lingers">Whether it lasts as long as the server lets it.</param>
/// <param name="Expected">What may come of it: status codes, or "closed".</param>
internal sealed record HostileKind(string Name, bool Lingers, params string[] Expected)
{
    internal static readonly HostileKind Bomb = new("200 megapixels in 25 KB", false, "413");
    internal static readonly HostileKind Oversized = new("65 MiB announced", false, "413");
    internal static readonly HostileKind Chunked = new("70 MiB in chunks", false, "413", "closed");
    internal static readonly HostileKind Truncated = new("half a form, then gone", false, "closed");
    internal static readonly HostileKind Noise = new("no picture", false, "400");
    internal static readonly HostileKind Method = new("wrong method", false, "405");
    internal static readonly HostileKind NoToken = new("no token", false, "401");
    internal static readonly HostileKind ManyNames = new("5000 names", false, "413");
    internal static readonly HostileKind Garbage = new("no HTTP", false, "400");
    internal static readonly HostileKind Leaves = new("leaves while it waits", false, "closed");
    internal static readonly HostileKind Slow = new("a byte a second", true, "408", "closed", "503");
    internal static readonly HostileKind HalfOpen = new("half of the headers", true, "408", "closed", "503");
    internal static readonly HostileKind Silent = new("says nothing", true, "closed", "503");

    internal static readonly HostileKind[] All =
        [Bomb, Oversized, Chunked, Truncated, Noise, Method, NoToken, ManyNames, Garbage, Leaves, Slow, HalfOpen, Silent];
}
