namespace Ldvc.Lab.Synthetic;

/// <summary>Smooth noise: random values on a lattice, bilinear in between; a place's value does not depend on the window that shows it.</summary>
internal static class ValueNoise
{
    /// <summary>The value at a place, -1 to 1; lattice cells of <paramref name="width"/> by <paramref name="height"/> pixels.</summary>
    public static float At(int x, int y, int width, int height, uint seed)
    {
        int left = Floor(x, width), top = Floor(y, height);
        float fx = (x - (left * width)) / (float)width, fy = (y - (top * height)) / (float)height;
        float upper = Mix(Lattice(left, top, seed), Lattice(left + 1, top, seed), fx);
        float lower = Mix(Lattice(left, top + 1, seed), Lattice(left + 1, top + 1, seed), fx);
        return Mix(upper, lower, fy);
    }

    private static float Mix(float a, float b, float share) => a + ((b - a) * share);

    private static float Lattice(int x, int y, uint seed) => BackgroundPainter.Noise(BackgroundPainter.Hash(seed, x, y), 1);

    private static int Floor(int a, int b) => a >= 0 ? a / b : -((b - 1 - a) / b);
}
