namespace Ldvc.Bench.Compare;

/// <summary>An engine's process ended while it was waited for.</summary>
internal sealed class PeerEndedException() : Exception("its process ended early, see its messages above");
