using System.Text.Json;
using Ldvc.Training;
using MathNet.Numerics.Statistics;

namespace Ldvc.Lab.Ablation;

/// <summary>Reads back what a run wrote into metrics.jsonl.</summary>
internal static class RunMetrics
{
    /// <summary>One series, e.g. "loss": (step, value) of every line that has it. Empty when there is no such file.</summary>
    /// <exception cref="Tensors.InputException">The file cannot be read.</exception>
    internal static IReadOnlyList<(double Step, double Value)> Read(string runFolder, string name)
    {
        string path = Path.Combine(runFolder, "metrics.jsonl");
        var points = new List<(double, double)>();
        bool Take(JsonElement line)
        {
            if (MetricsLines.StepOf(line) is { } step && line.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number
                && value.TryGetDouble(out double number) && double.IsFinite(number))
            {
                points.Add((step, number));
            }

            return true;
        }

        if (File.Exists(path))
        {
            _ = MetricsLines.Read(path, Take).Count();
        }

        return points;
    }

    /// <summary>The median of a series; NaN when it is empty.</summary>
    internal static double Median(IReadOnlyList<(double Step, double Value)> points) => points.Select(p => p.Value).Median();
}
