using Ldvc.Imaging;

namespace Ldvc.Lab.Synthetic;

/// <summary>
/// A small software rasteriser: four samples a pixel decide how much of it an object covers (colour) and whether it owns the pixel (label). It uses
/// only correctly rounded float operations, in a fixed order, so the same scene gives the same bytes on every machine.
/// </summary>
internal static class SceneRenderer
{
    private const float NoiseAmplitude = 9;

    /// <summary>
    /// Draws a scene and its labels: ids of its <see cref="Scene.Task"/>; 255 for a plain background and for
    /// classes outside the task.
    /// </summary>
    public static (RgbImage Image, LabelMap Labels) Render(Scene scene)
    {
        var image = new RgbImage(scene.Width, scene.Height);
        var labels = new LabelMap(scene.Width, scene.Height);
        Render(scene, image.Pixels, labels.Labels);
        return (image, labels);
    }

    /// <summary>Draws into <paramref name="pixels"/> [Height, Width, 3] and, if not empty, <paramref name="labels"/> [Height, Width].</summary>
    public static void Render(Scene scene, Span<byte> pixels, Span<byte> labels)
    {
        pixels = pixels[..(3 * scene.Width * scene.Height)];
        if (scene.Ground is { } ground)
        {
            GroundPainter.Paint(scene, ground, pixels, labels);
            DrawObjects(scene, pixels, labels);
            GroundPainter.Photograph(scene, ground, pixels);
            return;
        }

        BackgroundPainter.Paint(scene, pixels);
        labels.Fill(LabelMap.Ignore);
        DrawObjects(scene, pixels, labels);
    }

    private static void DrawObjects(Scene scene, Span<byte> pixels, Span<byte> labels)
    {
        foreach (PlacedObject placed in scene.Objects)
        {
            switch (placed.Class.Shape)
            {
                case 0: Draw<CircleShape>(scene, placed, pixels, labels); break;
                case 1: Draw<SquareShape>(scene, placed, pixels, labels); break;
                case 2: Draw<TriangleShape>(scene, placed, pixels, labels); break;
                case 3: Draw<StarShape>(scene, placed, pixels, labels); break;
                case 4: Draw<CrossShape>(scene, placed, pixels, labels); break;
                case 5: Draw<RingShape>(scene, placed, pixels, labels); break;
                case 6: Draw<HeartShape>(scene, placed, pixels, labels); break;
                case 7: Draw<DiamondShape>(scene, placed, pixels, labels); break;
                default: throw new ArgumentException($"unknown shape {placed.Class.Shape}", nameof(scene));
            }
        }
    }

    private static void Draw<TShape>(Scene scene, PlacedObject placed, Span<byte> pixels, Span<byte> labels)
        where TShape : struct, IShape
    {
        // In scenes a texture grows with its object, within limits: near things show their pattern larger.
        bool inScene = scene.Ground is not null;
        var style = new SurfaceStyle(placed, inScene ? Math.Clamp(placed.Size / 48, 1, 2) : 1);
        byte label = scene.Task.IdOf(placed.Class);
        uint noiseSeed = (uint)(placed.Style >> 32);
        float radius = 0.5f * placed.Size;
        float norm = 1 / (1 + (placed.Tilt * placed.Tilt));
        float cos = (1 - (placed.Tilt * placed.Tilt)) * norm / radius;
        float sin = 2 * placed.Tilt * norm / radius;

        // A tilted square's corner reaches sqrt(2) * 0.78 = 1.11 radii from the centre.
        float reach = (1.12f * radius) + 1;
        // Plane coordinates throughout: a crop must round exactly like the picture it is cut from.
        int left = Math.Max((int)MathF.Floor(placed.X - reach), scene.OriginX);
        int right = Math.Min((int)MathF.Ceiling(placed.X + reach), scene.OriginX + scene.Width);
        int top = Math.Max((int)MathF.Floor(placed.Y - reach), scene.OriginY);
        int bottom = Math.Min((int)MathF.Ceiling(placed.Y + reach), scene.OriginY + scene.Height);
        for (int y = top; y < bottom; y++)
        {
            for (int x = left; x < right; x++)
            {
                int covered = 0;
                int second = 0;
                for (int sample = 0; sample < 4; sample++)
                {
                    float dx = x + 0.25f + (0.5f * (sample & 1)) - placed.X;
                    float dy = y + 0.25f + (0.5f * (sample >> 1)) - placed.Y;
                    if (TShape.Inside((cos * dx) + (sin * dy), (sin * dx) - (cos * dy)))
                    {
                        covered++;
                        second += style.IsSecond(dx, dy) ? 1 : 0;
                    }
                }

                if (covered == 0)
                {
                    continue;
                }

                float light = 1 + (((style.LightX * (x - placed.X)) - (style.LightY * (y - placed.Y))) / radius);
                uint noise = BackgroundPainter.Hash(noiseSeed, x, y);
                float share = second / (float)covered;
                float cover = 0.25f * covered;
                int pixel = ((y - scene.OriginY) * scene.Width) + x - scene.OriginX;
                Blend(ref pixels[3 * pixel], style.R + ((style.SecondR - style.R) * share), light, noise, cover);
                Blend(ref pixels[(3 * pixel) + 1], style.G + ((style.SecondG - style.G) * share), light, noise >> 8, cover);
                Blend(ref pixels[(3 * pixel) + 2], style.B + ((style.SecondB - style.B) * share), light, noise >> 16, cover);
                if (covered >= 2 && labels.Length > 0)
                {
                    labels[pixel] = label;
                }
            }
        }
    }

    private static void Blend(ref byte target, float colour, float light, uint noise, float cover)
    {
        float value = (colour * light) + BackgroundPainter.Noise(noise, NoiseAmplitude);
        target = BackgroundPainter.ToByte(target + ((value - target) * cover));
    }
}
