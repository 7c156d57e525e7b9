using Ldvc.Configuration;
using Ldvc.Imaging;

namespace Ldvc.Lab.Synthetic;

/// <summary>
/// What is to be found in a drawn world: things with masks in training, stuff (seen, too), and things that are only ever given as text; label ids in
/// this order. Any two things of a task differ in at least two attributes, every word of an unseen name occurs in seen names, and no pair of its
/// words does: an unseen thing can only be found through what its name means.
/// </summary>
internal sealed class SceneTask
{
    private readonly int _seenThings;
    private readonly byte[] _ids = new byte[Vocabulary.SceneCombinationCount];

    private SceneTask(SceneVocabulary world, SceneClass[] things, int seenThings)
    {
        World = world;
        Things = things;
        _seenThings = seenThings;
        string[] stuff = HasStuff ? Stuff.Names : [];
        SeenNames = [.. things.Take(seenThings).Select(t => t.Name), .. stuff];
        UnseenNames = [.. things.Skip(seenThings).Select(t => t.Name)];
        Names = [.. SeenNames, .. UnseenNames];
        Array.Fill(_ids, LabelMap.Ignore);
        for (int i = 0; i < things.Length; i++)
        {
            _ids[things[i].Index] = (byte)(i < seenThings ? i : i + stuff.Length);
        }
    }

    /// <summary>The demo's: 24 seen (ids 0..23) and 6 unseen things (24..29) on plain backgrounds.</summary>
    public static SceneTask Shapes { get; } = new(SceneVocabulary.Shapes, ShapeNames.All, ShapeNames.Seen.Length);

    /// <summary>The benchmark's: 40 seen things (ids 0..39), 8 kinds of stuff (40..47), 10 unseen things (48..57).</summary>
    public static SceneTask Scenes { get; } = new(SceneVocabulary.Scenes, LatinSquare(50), 40);

    /// <summary>
    /// As many things as can differ pairwise in two attributes: 48 seen (ids 0..47), 8 kinds of stuff (48..55), 16 unseen things (56..71).
    /// </summary>
    public static SceneTask Scenes72 { get; } = new(SceneVocabulary.Scenes72, LatinSquare(64), 48);

    /// <summary>The world it is found in.</summary>
    public SceneVocabulary World { get; }

    /// <summary>Names with masks in training: things, then stuff.</summary>
    public string[] SeenNames { get; }

    /// <summary>Names that are only ever given as text.</summary>
    public string[] UnseenNames { get; }

    /// <summary>Label id to name: seen, then unseen.</summary>
    public string[] Names { get; }

    /// <summary>The things, seen then unseen.</summary>
    public SceneClass[] Things { get; }

    /// <summary>Whether things lie on ground of several materials, and not on a plain background.</summary>
    public bool HasStuff => World != SceneVocabulary.Shapes;

    /// <summary>The task of a world.</summary>
    public static SceneTask Of(SceneVocabulary world) => world switch
    {
        SceneVocabulary.Shapes => Shapes,
        SceneVocabulary.Scenes => Scenes,
        SceneVocabulary.Scenes72 => Scenes72,
        _ => throw new ArgumentOutOfRangeException(nameof(world), world, "unknown world"),
    };

    /// <summary>The label id of a thing, or 255 when it is not part of the task.</summary>
    public byte IdOf(SceneClass thing) => _ids[thing.Index];

    /// <summary>The label id of a kind of stuff.</summary>
    public byte StuffId(int stuff) => (byte)(_seenThings + stuff);

    /// <summary>Whether a label id is a kind of stuff.</summary>
    public bool IsStuff(int id) => id >= _seenThings && id < SeenNames.Length;

    /// <summary>Whether a label id is one of the unseen classes.</summary>
    public bool IsUnseen(int id) => id >= SeenNames.Length && id < Names.Length;

    // texture = colour xor shape is a Latin square, so two of the three words fix the third; with shape = 2 colour xor layer in the field of eight
    // elements, each layer of eight things holds every colour, shape and texture exactly once.
    private static SceneClass[] LatinSquare(int count)
    {
        int colours = Vocabulary.Colours.Length;
        var things = new SceneClass[count];
        for (int i = 0; i < things.Length; i++)
        {
            int colour = i % colours, twice = (2 * colour) ^ (colour >= 4 ? 0b1011 : 0), shape = twice ^ (i / colours);
            things[i] = new SceneClass(colour ^ shape, colour, shape);
        }

        return things;
    }
}
