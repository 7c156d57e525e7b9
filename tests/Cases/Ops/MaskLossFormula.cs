namespace Ldvc.Cases.Ops;

/// <summary>The mask loss of method.md 7, term by term: upsampled logits, focal over all pairs, dice over those present.</summary>
internal static class MaskLossFormula
{
    /// <summary>Logits z [B, C, h, w] and labels [B, H, W] -> focalWeight * focal + diceWeight * dice.</summary>
    internal static double Total(
        double[] z,
        int[] labels,
        int batch,
        int classes,
        int height,
        int width,
        int imageHeight,
        int imageWidth,
        double focalWeight,
        double diceWeight,
        double alpha)
    {
        int pixels = imageHeight * imageWidth, present = 0;
        double focal = 0, dice = 0;
        for (int plane = 0; plane < batch * classes; plane++)
        {
            var logits = z.AsSpan(plane * height * width, height * width);
            double sumP = 0, sumY = 0, sumPy = 0;
            for (int i = 0; i < pixels; i++)
            {
                double x = Formulas.Bilinear(logits, height, width, i / imageWidth, i % imageWidth, imageHeight, imageWidth), p = Formulas.Sigmoid(x);
                bool y = labels[(plane / classes * pixels) + i] == plane % classes;
                double right = y ? p : Formulas.Sigmoid(-x);
                focal -= (y ? alpha : 1 - alpha) * (1 - right) * (1 - right) * Math.Log(right) / pixels;
                sumP += p;
                sumY += y ? 1 : 0;
                sumPy += y ? p : 0;
            }

            if (sumY > 0)
            {
                present++;
                dice += 1 - (((2 * sumPy) + 1) / (sumP + sumY + 1));
            }
        }

        return ((focalWeight * focal) + (diceWeight * dice)) / Math.Max(1, present);
    }
}
