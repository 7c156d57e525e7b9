namespace Ldvc.Lab.Synthetic;

/// <summary>
/// The task of the "scenes" vocabulary: 40 seen things (ids 0..39), 8 kinds of stuff, seen too (40..47), and 10 unseen things (48..57). Any two
/// things differ in at least two attributes: texture = colour xor shape is a Latin square, so two of the three words fix the third. Every word of an
/// unseen name occurs in seen names, and no pair of its words does.
/// </summary>
internal static class SceneTask
{
    private const int SeenThings = 40;
    private const int UnseenThings = 10;

    /// <summary>Names with masks in training: things, then stuff.</summary>
    public static string[] SeenNames { get; }

    /// <summary>Names that are only ever given as text.</summary>
    public static string[] UnseenNames { get; }

    /// <summary>Label id to name: seen, then unseen.</summary>
    public static string[] Names { get; }

    /// <summary>The 50 things, seen then unseen.</summary>
    public static SceneClass[] Things { get; }

    private static readonly byte[] TaskIds;

    static SceneTask()
    {
        // With shape = 2 colour xor layer in the field of eight elements, each layer of eight things holds every colour, shape and texture exactly
        // once.
        int colours = Vocabulary.Colours.Length;
        var things = new SceneClass[SeenThings + UnseenThings];
        for (int i = 0; i < things.Length; i++)
        {
            int colour = i % colours, twice = (2 * colour) ^ (colour >= 4 ? 0b1011 : 0), shape = twice ^ (i / colours);
            things[i] = new SceneClass(colour ^ shape, colour, shape);
        }

        Things = things;
        SeenNames = [.. things.Take(SeenThings).Select(t => t.Name), .. Stuff.Names];
        UnseenNames = [.. things.Skip(SeenThings).Select(t => t.Name)];
        Names = [.. SeenNames, .. UnseenNames];
        TaskIds = new byte[Vocabulary.SceneCombinationCount];
        Array.Fill(TaskIds, Imaging.LabelMap.Ignore);
        for (int i = 0; i < things.Length; i++)
        {
            TaskIds[things[i].Index] = (byte)(i < SeenThings ? i : i + Stuff.Names.Length);
        }
    }

    /// <summary>The label id of a thing, or 255 when it is not part of the task.</summary>
    public static byte IdOf(SceneClass thing) => TaskIds[thing.Index];

    /// <summary>The label id of a kind of stuff.</summary>
    public static byte StuffId(int stuff) => (byte)(SeenThings + stuff);

    /// <summary>Whether a label id is a kind of stuff.</summary>
    public static bool IsStuff(int id) => id >= SeenThings && id < SeenNames.Length;

    /// <summary>Whether a label id is one of the unseen classes.</summary>
    public static bool IsUnseen(int id) => id >= SeenNames.Length && id < Names.Length;
}
