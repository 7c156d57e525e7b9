namespace Ldvc.Tests.Architecture;

/// <summary>One place where a compiled member of one namespace names a type.</summary>
/// <param name="From">The member's namespace.</param>
/// <param name="Member">The member: "Type.Method", or "Type" where the type itself names it (its base, an interface, a field).</param>
/// <param name="Assembly">The assembly of the named type; empty for the reader's own.</param>
/// <param name="To">The named type's namespace.</param>
/// <param name="Type">The named type.</param>
internal readonly record struct Use(string From, string Member, string Assembly, string To, string Type)
{
    /// <inheritdoc/>
    public override string ToString() => $"{From}.{Member} uses {To}.{Type}";
}
