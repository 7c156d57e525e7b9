using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Lab.Synthetic;

/// <summary>
/// Objects of whole scenes, as the segmentation task shows them: windows of a fixed size around an object of which most can be seen, whatever else is
/// in the window. A scene gives at most one.
/// </summary>
internal sealed class CropProbe : IZeroShotProbe
{
    // Less than this of the window's object pixels, and another object could be called its subject with equal right.
    private const double MinShare = 0.6;

    // A shape fills less than its bounding circle: a star about a third, so an object covered by half is below this.
    private const double MinFill = 0.25;

    // Scenes looked at for each window before objects count as too large for it, or too crowded.
    private const int MaxScenes = 50;

    private readonly List<(Scene Window, int Label)> _crops = [];
    private readonly int[] _things = new int[256];

    /// <summary>Windows of validation scenes.</summary>
    /// <param name="count">How many.</param>
    /// <param name="size">Columns and rows of a window.</param>
    /// <param name="options">The scenes.</param>
    /// <param name="seed">Their seed, as in data.synthetic.seed.</param>
    /// <exception cref="InputException">Hardly a window shows an object well enough.</exception>
    internal CropProbe(int count, int size, SceneOptions options, ulong seed = 0)
    {
        SceneTask task = options.Task;
        SceneClass[] things = task.Things;
        Prompts = [.. things.Select(t => "a photo of " + Vocabulary.WithArticle(t.Name))];
        Array.Fill(_things, -1);
        for (int i = 0; i < things.Length; i++)
        {
            _things[task.IdOf(things[i])] = i;
        }

        var scenes = new SceneDataset("val", int.MaxValue, seed, options);
        for (int i = 0; _crops.Count < count; i++)
        {
            if (i >= MaxScenes * count)
            {
                throw new InputException($"windows of {size} x {size} pixels: expected one in {MaxScenes} to show most of an object and little of "
                    + $"others, found {_crops.Count} in {i}; expected smaller objects (data.synthetic.max_size), or more place between them");
            }

            Scene scene = scenes.GetScene(i);
            var random = new CounterRandom(0x43524F50, (ulong)i);
            PlacedObject chosen = scene.Objects[random.NextInt(scene.Objects.Length)];
            Scene window = Around(chosen, scene, size);
            if (IsItsSubject(chosen, SceneRenderer.Render(window).Labels, task))
            {
                _crops.Add((window, Array.IndexOf(things, chosen.Class)));
            }
        }
    }

    /// <inheritdoc/>
    public int Count => _crops.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string> Prompts { get; }

    /// <inheritdoc/>
    public int LabelOf(int index) => _crops[index].Label;

    /// <inheritdoc/>
    public void Render(int index, Span<byte> pixels) => SceneRenderer.Render(_crops[index].Window, pixels, []);

    /// <summary>For every pixel of picture i, the sentence of the thing it shows; -1 where there is none of the task.</summary>
    internal int[] ThingsOf(int index) => Array.ConvertAll(SceneRenderer.Render(_crops[index].Window).Labels.Labels, label => _things[label]);

    private static Scene Around(PlacedObject placed, Scene scene, int size) => scene with
    {
        Width = size,
        Height = size,
        OriginX = Math.Clamp((int)placed.X - (size / 2), 0, Math.Max(0, scene.Width - size)),
        OriginY = Math.Clamp((int)placed.Y - (size / 2), 0, Math.Max(0, scene.Height - size)),
    };

    private static bool IsItsSubject(PlacedObject placed, LabelMap labels, SceneTask task)
    {
        byte own = task.IdOf(placed.Class);
        int pixels = 0, things = 0;
        foreach (byte label in labels.Labels)
        {
            pixels += label == own ? 1 : 0;
            things += label != LabelMap.Ignore && !task.IsStuff(label) ? 1 : 0;
        }

        double circle = Math.PI * placed.Size * placed.Size / 4;
        return pixels >= MinFill * circle && pixels >= MinShare * things;
    }
}
