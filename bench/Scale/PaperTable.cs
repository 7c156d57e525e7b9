using System.Globalization;

namespace Ldvc.Bench.Scale;

/// <summary>Prints the predictions of <see cref="PaperModel"/>, with what goes into them.</summary>
internal static class PaperTable
{
    private const int CardsOfNode = 8;

    internal static void Print(PaperModel model, TextWriter output)
    {
        output.WriteLine("On paper: several GPUs, strong scaling (the batch stays the same)");
        output.WriteLine(Text($"inputs: {model.PictureMilliseconds} ms a picture on one GPU, batch {model.Batch}, {model.GradientMegabytes} MB of gradients, window {model.Window}, buckets of {model.BucketMegabytes} MB, {model.LinkShare:P0} of a link's rate"));
        foreach (string formula in PaperModel.Formulas)
        {
            output.WriteLine($"  {formula}");
        }

        output.WriteLine();
        output.WriteLine("| GPUs | slowest link (rate, time of a ring's step) | T, ms | S, ms | pictures/s without overlap | efficiency | pictures/s with overlap | efficiency |");
        output.WriteLine("|---|---|---|---|---|---|---|---|");
        Row(model, output, 1, "1", new Link("none", 1, 0));
        foreach (Link link in new[] { Link.NvLink, Link.Pcie5, Link.Pcie4 })
        {
            foreach (int gpus in new[] { 2, 4, CardsOfNode })
            {
                Row(model, output, gpus, $"{gpus}", link);
            }
        }

        foreach (int gigabits in new[] { 100, 200, 400 })
        {
            Row(model, output, 2 * CardsOfNode, "2 x 8", Link.Network(gigabits));
        }
    }

    private static void Row(PaperModel model, TextWriter output, int gpus, string name, Link link)
    {
        double alone = model.Efficiency(gpus, link), overlapped = model.EfficiencyWithOverlap(gpus, link);
        double ideal = gpus * 1000 / model.PictureMilliseconds;
        string rate = gpus == 1 ? "-" : Text($"{link.Name} ({link.GigabytesPerSecond} GB/s, {link.StepMicroseconds} us)");
        output.WriteLine(Text($"| {name} | {rate} | {model.Compute(gpus):0.0} | {model.Sums(gpus, link):0.00} | {ideal * alone:0} | {alone:P0} | {ideal * overlapped:0} | {overlapped:P0} |"));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture).Replace(" %", "%", StringComparison.Ordinal);
}
