using Ldvc.Autograd.Ops;

namespace Ldvc.Cases.Ops;

/// <summary>The input of the text adapter (method.md 4).</summary>
internal static class RelationshipCases
{
    internal static IEnumerable<OpCase> All => [Case(1, 1, 1), Case(1, 5, 7), Case(3, 4, 19), Case(2, 15, 33), Case(16, 15, 512, real: true)];

    private static OpCase Case(int batch, int classes, int width, bool real = false)
    {
        double all = 2.0 * batch * classes * width, small = (double)(batch + classes) * width;
        return new OpCase(typeof(RelationshipOp), nameof(RelationshipOp.Relationship), $"{batch} x {classes} x {width}")
        {
            Inputs = [new("t", classes, width), new("g", batch, width)],
            Run = (tape, v) => tape.Relationship(v[0], v[1]),
            Reference = real ? null : v => Reference(v[0], v[1], batch, classes, width),
            Work = new CaseWork(all / 2, all + small, 2.5 * all, all + (2 * small)),
            Real = real,
        };
    }

    private static double[] Reference(double[] t, double[] g, int batch, int classes, int width)
    {
        var y = new double[batch * classes * 2 * width];
        for (int b = 0; b < batch; b++)
        {
            for (int c = 0; c < classes; c++)
            {
                for (int e = 0; e < width; e++)
                {
                    int at = ((((b * classes) + c) * 2) * width) + e;
                    y[at] = t[(c * width) + e] * g[(b * width) + e];
                    y[at + width] = t[(c * width) + e];
                }
            }
        }

        return y;
    }
}
