using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Lab.Synthetic;

/// <summary>Pictures of one material of the "scenes" vocabulary and nothing else; picture i shows material i modulo their number.</summary>
internal sealed class StuffProbe(int count, int size) : IZeroShotProbe
{
    private const ulong Seed = 0x5354554646;

    /// <inheritdoc/>
    public int Count => count;

    /// <inheritdoc/>
    public IReadOnlyList<string> Prompts { get; } = [.. Stuff.Names.Select(name => "a photo of " + name)];

    /// <inheritdoc/>
    public int LabelOf(int index) => index % Stuff.Names.Length;

    /// <inheritdoc/>
    public void Render(int index, Span<byte> pixels)
    {
        var random = new CounterRandom(Seed, (ulong)index);
        Scene empty = SceneSampler.Place(SceneOptions.Of(SceneVocabulary.Scenes) with { Size = size, MaxGrounds = 1 }, [], ref random);
        Scene scene = empty with { Ground = empty.Ground! with { Stuff = [LabelOf(index)] } };
        SceneRenderer.Render(scene, pixels, []);
    }
}
