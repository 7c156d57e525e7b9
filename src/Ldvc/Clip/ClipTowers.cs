namespace Ldvc.Clip;

/// <summary>The parts of a CLIP whose weights are read: most of half a gigabyte is of no use to a program that encodes one text.</summary>
[Flags]
internal enum ClipTowers
{
    /// <summary>Pictures.</summary>
    Vision = 1,

    /// <summary>Texts.</summary>
    Text = 2,

    /// <summary>All.</summary>
    Both = Vision | Text,
}
