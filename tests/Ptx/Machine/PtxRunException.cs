namespace Ldvc.Ptx.Machine;

/// <summary>A kernel did what is undefined on a card, or what the machine does not know.</summary>
internal sealed class PtxRunException(string message) : Exception(message);
