namespace Ldvc.Lab.Synthetic;

/// <summary>The things of the demo's world, see <see cref="SceneTask.Shapes"/>.</summary>
internal static class ShapeNames
{
    /// <summary>Names with masks in training; every texture occurs 6 times, every colour and every shape 3 times.</summary>
    public static readonly string[] Seen =
    [
        "plain red circle", "striped green square", "dotted blue triangle", "checkered yellow star",
        "plain purple cross", "striped orange ring", "dotted cyan heart", "checkered white diamond",
        "striped red triangle", "dotted green star", "checkered blue cross", "plain yellow ring",
        "striped purple heart", "dotted orange diamond", "checkered cyan circle", "plain white square",
        "dotted red ring", "checkered green heart", "plain blue diamond", "striped yellow circle",
        "dotted purple square", "checkered orange triangle", "plain cyan star", "striped white cross",
    ];

    /// <summary>Names that are only ever given as text.</summary>
    public static readonly string[] Unseen =
    [
        "checkered red square", "plain green triangle", "striped blue star",
        "dotted yellow cross", "checkered purple ring", "striped cyan diamond",
    ];

    /// <summary>Seen, then unseen.</summary>
    public static SceneClass[] All => [.. Seen.Concat(Unseen).Select(SceneClass.Parse)];
}
