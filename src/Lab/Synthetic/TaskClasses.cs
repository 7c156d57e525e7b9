namespace Ldvc.Lab.Synthetic;

/// <summary>
/// The segmentation task: 24 seen classes (ids 0..23) and 6 unseen ones (24..29). Any two of the 30 differ in at least two attributes, every word of
/// an unseen name occurs in seen names, and no pair of its words does: an unseen class can only be found through what its name means.
/// </summary>
internal static class TaskClasses
{
    /// <summary>Names with masks in training; every texture occurs 6 times, every colour and every shape 3 times.</summary>
    public static readonly string[] SeenNames =
    [
        "plain red circle", "striped green square", "dotted blue triangle", "checkered yellow star",
        "plain purple cross", "striped orange ring", "dotted cyan heart", "checkered white diamond",
        "striped red triangle", "dotted green star", "checkered blue cross", "plain yellow ring",
        "striped purple heart", "dotted orange diamond", "checkered cyan circle", "plain white square",
        "dotted red ring", "checkered green heart", "plain blue diamond", "striped yellow circle",
        "dotted purple square", "checkered orange triangle", "plain cyan star", "striped white cross",
    ];

    /// <summary>Names that are only ever given as text.</summary>
    public static readonly string[] UnseenNames =
    [
        "checkered red square", "plain green triangle", "striped blue star",
        "dotted yellow cross", "checkered purple ring", "striped cyan diamond",
    ];

    /// <summary>Seen then unseen names: label id to name.</summary>
    public static string[] Names { get; } = [.. SeenNames, .. UnseenNames];

    /// <summary>Label id to class.</summary>
    public static SceneClass[] Classes { get; } = [.. Names.Select(SceneClass.Parse)];

    private static readonly byte[] TaskIds = MakeTaskIds();

    /// <summary>The label id of a class, or 255 when it is not part of the task.</summary>
    public static byte IdOf(SceneClass sceneClass) => TaskIds[sceneClass.Index];

    /// <summary>Whether a label id is one of the unseen classes.</summary>
    public static bool IsUnseen(int id) => id >= SeenNames.Length && id < Names.Length;

    private static byte[] MakeTaskIds()
    {
        byte[] ids = new byte[Vocabulary.CombinationCount];
        Array.Fill(ids, Imaging.LabelMap.Ignore);
        for (int i = 0; i < Classes.Length; i++)
        {
            ids[Classes[i].Index] = (byte)i;
        }

        return ids;
    }
}
